//! Sells something, is killed, and checks that the sale goes on. `cargo run`: ends well, or says what went wrong.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
#![deny(warnings, missing_debug_implementations)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use durable_runtime::{Engine, Handle};
use warehouse::{Declined, Item, Ledger};

mod checkout;
mod doubling;
mod shipping;

use checkout::{CONFIRMED, CheckoutError, Sold, checkout};

type BoxError = Box<dyn std::error::Error>;
type Sale = Handle<Result<Sold, CheckoutError>>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args_os().skip(1);
    if let Some(directory) = args.next() {
        return sell_until_killed(Path::new(&directory)).await;
    }
    let directory = std::env::temp_dir().join(format!("drop-in-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    kill_a_seller(&directory)?;
    go_on(&directory).await?;
    end_otherwise(&directory).await?;
    run_what_is_written_strangely(&directory).await?;
    run_what_knows_the_runtime_by_another_name(&directory).await?;
    std::fs::remove_dir_all(&directory)?;
    println!("all is well");
    Ok(())
}

/// Starts a sale, says that it is paid, and would wait for three days.
async fn sell_until_killed(directory: &Path) -> Result<(), BoxError> {
    let engine = open(directory).await?;
    let sale = engine.start(checkout(teapot())).id("sale").await?;
    let mut now = sale.summary().await?;
    while now.custom_status.is_none() {
        now = sale.changed(&now).await?;
    }
    println!("paid");
    sale.result().await?.map_err(|error| format!("{error:?}"))?;
    Ok(())
}

fn kill_a_seller(directory: &Path) -> Result<(), BoxError> {
    let mut seller = Command::new(std::env::current_exe()?);
    let mut seller = seller.arg(directory).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(seller.stdout.take().ok_or("stdout is a pipe")?).read_line(&mut line)?;
    seller.kill()?;
    assert!(!seller.wait()?.success());
    assert_eq!(line, "paid\n");
    Ok(())
}

/// What the killed seller paid is not paid again.
async fn go_on(directory: &Path) -> Result<(), BoxError> {
    let engine = open(directory).await?;
    let sale: Sale = engine.start(checkout(teapot())).id("sale").await?;
    sale.raise(&CONFIRMED, true).await?;
    let parcels = ["1", "2", "3"].map(str::to_owned).into();
    let receipt = "4200 cents".to_owned();
    assert_eq!(sale.result().await?, Ok(Sold { receipt, parcels }));
    let ran = Ledger::at(directory.join("ledger")).lines();
    assert_eq!(ran, ["charge", "charge", "reserve", "reserve", "reserve"]);
    assert_eq!(checkout::shelf("3"), Some(warehouse::Shelf(3)));
    engine.shutdown().await;
    Ok(())
}

/// Errors come back as they were declared, in another life of the program, too.
async fn end_otherwise(directory: &Path) -> Result<(), BoxError> {
    let engine = open(directory).await?;
    let (name, cents) = ("piano".to_owned(), 1_000_000);
    let dear: Sale = engine.start(checkout(Item { name, cents })).await?;
    let declined = Declined { cents };
    assert_eq!(dear.result().await?, Err(CheckoutError::Unpaid(declined)));
    let unwanted: Sale = engine.start(checkout(teapot())).id("unwanted").await?;
    unwanted.raise(&CONFIRMED, false).await?;
    assert_eq!(unwanted.result().await?, Err(CheckoutError::Unwanted));
    engine.shutdown().await;

    let engine = open(directory).await?;
    let again: Sale = engine.start(checkout(teapot())).id("unwanted").await?;
    assert_eq!(again.result().await?, Err(CheckoutError::Unwanted));
    engine.shutdown().await;
    Ok(())
}

async fn run_what_is_written_strangely(directory: &Path) -> Result<(), BoxError> {
    use warehouse::hostile::{without_prelude::everything, words, written_by_a_macro::four_times};

    let engine = open(directory).await?;
    let sum = engine.start(everything(100)).await?.result().await?;
    assert_eq!(sum, Ok(118));
    let sum = engine.start(words::r#fn(1, 2, 3)).await?.result().await?;
    assert_eq!(sum, 7);
    assert_eq!(words::u32(5).await, 5);
    assert_eq!(engine.start(four_times(2)).await?.result().await?, 8);
    engine.shutdown().await;
    Ok(())
}

async fn run_what_knows_the_runtime_by_another_name(directory: &Path) -> Result<(), BoxError> {
    let engine = open(directory).await?;
    let doubled = engine.start(doubling::add_two_and_double(3)).await?;
    assert_eq!(doubled.result().await?, 10);
    let question = renamed::ask_twice("why?".to_owned());
    let asked = engine.start(question).id("asked").await?;
    asked.raise(&renamed::ANSWER, 38).await?;
    assert_eq!(asked.result().await?, 42);
    engine.shutdown().await;
    Ok(())
}

async fn open(directory: &Path) -> Result<Engine, BoxError> {
    let path = |name: &str| -> PathBuf { directory.join(name) };
    let ledger = Ledger::at(path("ledger"));
    let builder = Engine::builder(path("shop.redb")).state(ledger);
    Ok(builder.open().await?)
}

fn teapot() -> Item {
    let (name, cents) = ("teapot".to_owned(), 4200);
    Item { name, cents }
}
