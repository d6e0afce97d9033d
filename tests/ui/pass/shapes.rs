//! Shapes of real code: patterns, references, generics, methods, control flow, macros.
#![deny(warnings)]

use durable_runtime::durable::Durable;
use durable_runtime::orchestration::{
    Event, FuturesUnordered, OrchestratorCall, days, join_all, now, race, select_all, side_effect, sleep, timeout,
    try_join_all,
};
use durable_runtime::{BoxDurable, activity, helper, join, orchestrator, select, try_join};

static APPROVAL: Event<u32> = Event::new("approval");

#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct Order(u32);

#[activity]
async fn patterns((a, b): (u32, u32), mut c: Vec<u32>, _: u8, Order(d): Order) -> u32 {
    c.push(a);
    c.iter().sum::<u32>() + b + d
}

#[activity]
async fn checked(order: Order) -> Result<Order, String> {
    if order.0 == 0 { Err("nothing".to_owned()) } else { Ok(order) }
}

#[activity]
async fn none() {}

#[helper]
async fn two_references(a: &str, b: &[u32]) -> usize {
    let n = patterns((1, 2), b.to_vec(), 0, Order(0)).await;
    a.len() + b.len() + usize::try_from(n).unwrap_or_default()
}

#[helper]
async fn generic<T: Into<u32> + Copy>(values: &[T]) -> u32 {
    let mut sum = 0;
    for value in values {
        sum += patterns(((*value).into(), 0), vec![], 0, Order(0)).await;
    }
    sum
}

/// No name of the expansion is seen by the code in it.
#[orchestrator]
async fn own_names(context: u32) -> u32 {
    let (index, enabled, child0, outputs) = (context, context > 1, 3, 4);
    let sum = select! {
        index = patterns((index, 0), vec![child0], 0, Order(0)), if enabled => index + child0 + outputs + context,
        _ = patterns((outputs, child0), vec![], 0, Order(context)) => u32::from(enabled) + outputs + index,
    };
    let (a, b) = join!(patterns((index, 0), vec![child0], 0, Order(outputs)), async { outputs + context });
    let error = String::new();
    let both = try_join!(async { checked(Order(child0)).await.map_err(|_| &error) }, async { Err(&error) });
    let _: Result<(Order, u32), &String> = both;
    sum + a + b
}

/// A span changes nothing, and logging is no operation.
#[orchestrator]
async fn spans(n: u32) -> u32 {
    use tracing::Instrument as _;

    tracing::info!(n, "spans");
    if n > 1 {
        tracing::warn!("more than one")
    }
    match n {
        0 => tracing::debug!("none"),
        _ => println!("some"),
    }
    let call = none().instrument(tracing::info_span!("none"));
    call.await;
    async { patterns((n, n), vec![], 0, Order(n)).await }.instrument(tracing::Span::current()).await
}

/// `?` converts as in any function.
#[helper]
async fn converts(order: Order) -> Result<u32, Box<dyn std::error::Error>> {
    let order = checked(order).await?;
    none().await;
    Ok(order.0)
}

struct Saga {
    undo: Vec<u32>,
}

impl Saga {
    #[helper]
    async fn step(&mut self, n: u32) -> u32 {
        let result = patterns((n, n), vec![], 0, Order(0)).await;
        self.undo.push(result);
        result
    }

    #[helper]
    async fn roll_back(self) -> usize {
        for undo in &self.undo {
            patterns((*undo, 0), vec![], 0, Order(0)).await;
        }
        self.undo.len()
    }
}

#[orchestrator]
async fn shapes(n: u32) -> Result<usize, String> {
    let text = String::from("abc");
    let numbers = vec![1u32, 2];
    let a = two_references(&text, &numbers).await;
    let g = generic(&[1u8, 2u8]).await;
    let mut saga = Saga { undo: vec![] };
    saga.step(1).await;
    saga.step(2).await;
    let undone = saga.roll_back().await;
    let held = patterns((1, 1), vec![], 0, Order(0));
    let boxed: std::pin::Pin<Box<dyn Durable<Output = u32>>> = Box::pin(held);
    let z = boxed.await;
    let mut by_reference = patterns((1, 1), vec![], 0, Order(0));
    let y = (&mut by_reference).await;
    let r = (|| async { Ok::<_, String>(patterns((n, n), vec![1], 2, Order(3)).await) })().await?;
    let found = if let Some(x) = Some(3u32) {
        Some(patterns((x, 0), vec![], 0, Order(0)).await)
    } else {
        None
    };
    let told = format!("{}-{}", patterns((1, 0), vec![], 0, Order(0)).await, found.unwrap_or_default());
    assert_eq!(patterns((1, 0), vec![], 0, Order(0)).await, 1, "{told}");
    let list = vec![patterns((1, 0), vec![], 0, Order(0)).await, y, z, r, g];
    let is_two = matches!(checked(Order(1)).await, Ok(Order(2)));
    let mut rounds = 0;
    'outer: loop {
        rounds += 1;
        select! {
            x = patterns((rounds, 0), vec![], 0, Order(0)) => if x > 2 { break 'outer } else { continue },
            Some(x) = async { Some(APPROVAL.wait().await) }, if rounds > 1 => {
                println!("{x}");
                break
            }
            () = sleep(days(1)) => return Err("late".into()),
            else => return Err("none".into()),
        }
    }
    for x in [1u32, 2].iter().map(|x| x + 1) {
        patterns((x, 0), vec![], 0, Order(0)).await;
    }
    eprintln!("here {rounds}");
    let (first, (), third) = join!(checked(Order(1)), none(), async { converts(Order(2)).await.is_ok() });
    let (one, two) = try_join!(checked(first?), checked(Order(2)))?;
    let all = join_all((0..3).map(|n| async move { checked(Order(n)).await.is_ok() })).await;
    let later: Result<Order, String> = async {
        let order = checked(one).await?;
        Ok(order)
    }
    .await;
    let word = side_effect(|| std::env::var("HOME").unwrap_or_default()).await;
    let _ = now();
    Ok(a + list.len() + undone + usize::from(is_two && third) + all.len() + word.len()
        + usize::try_from(later?.0 + two.0).unwrap_or_default())
}

/// Combinators over collections: of one call, of boxed ones, of blocks, by reference, nested, in a helper, in generic code.
#[orchestrator]
async fn collections(n: u32) -> Result<u32, String> {
    let children: Vec<OrchestratorCall<u32, _>> = (0..n).map(own_names).collect();
    let (first, index, mut others) = select_all(children).await;
    others.push(own_names(n));
    let all = join_all(others).limit(3).await;
    let orders = try_join_all((0..n).map(|n| checked(Order(n)))).limit(2).await?;
    let by_reference: Vec<Order> = try_join_all(orders.iter().map(|order| async { checked(order.clone()).await })).await?;
    let mixed: Vec<BoxDurable<'_, u32>> = vec![
        Box::pin(patterns((1, 2), all, 0, Order(0))),
        Box::pin(own_names(2)),
        Box::pin(generic(&[1u8, 2])),
        Box::pin(async { by_reference.len() as u32 }),
    ];
    let quickest = race(mixed).await;
    let mut running: FuturesUnordered<_> = (0..n).map(|n| patterns((n, n), vec![], 0, Order(n))).collect();
    let mut sum = first + quickest;
    loop {
        select! {
            Some(next) = running.next() => {
                sum += next;
                if sum < 10 {
                    running.push(patterns((sum, 1), vec![], 0, Order(1)));
                }
            }
            more = APPROVAL.wait() => running.extend([patterns((more, 1), vec![], 0, Order(1))]),
            else => break,
        }
    }
    let mut kinds: FuturesUnordered<BoxDurable<'_, u32>> = FuturesUnordered::new();
    kinds.push(Box::pin(own_names(3)));
    kinds.push(Box::pin(async { u32::from(checked(Order(3)).await.is_ok()) }));
    sum += drained(&mut kinds).await;
    let limited = timeout(days(1), async {
        sum += drained(&mut running).await;
        let inner = timeout(days(1), join_all((0..n).map(|n| timeout(days(u64::from(n)), own_names(n))))).await;
        inner.map_err(|elapsed| elapsed.to_string())
    });
    let limited = limited.await.map_err(|elapsed| elapsed.to_string())??;
    Ok(sum + any(vec![own_names(1)]).await + u32::try_from(index + limited.len()).unwrap_or_default())
}

#[helper]
async fn drained<D: Durable<Output = u32>>(running: &mut FuturesUnordered<D>) -> u32 {
    let mut sum = 0;
    while let Some(next) = running.next().await {
        sum += next;
    }
    sum
}

#[helper]
async fn any<D>(futures: Vec<D>) -> u32
where
    D: Durable<Output = u32> + Unpin,
{
    let (first, _, others) = select_all(futures).await;
    first + u32::try_from(join_all(others).await.len()).unwrap_or_default()
}

/// A handler of a server may run activities at once and move the future between threads.
fn sent() -> impl Send {
    (
        join_all((0..3).map(|n| checked(Order(n)))).limit(2),
        try_join_all([checked(Order(1))]),
        select_all(vec![none().timeout(days(1))]),
        race([none()]),
        [none()].into_iter().collect::<FuturesUnordered<_>>(),
        timeout(days(1), none()),
    )
}

fn main() {
    _ = sent;
}
