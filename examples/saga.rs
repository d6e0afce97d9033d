//! cargo run --example saga -- [--db PATH] [--fast] [--car]
//!
//! A trip is booked step by step. If a step fails, what was booked before is cancelled, last first, whatever happens to the
//! process meanwhile. There is a car with `--car` only; else the trip is undone, and the result is the error. Each attempt
//! of a booking or cancellation that really ran left a line in the ledger, `target/saga.ledger`.

use Stage::{BookingCar, BookingFlight, BookingHotel, Cancelling};
use durable_examples::{Args, Bar, Ledger, follow, invite, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trip {
    city: String,
    with_car: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Booked {
    flight: String,
    hotel: String,
    car: String,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum TripError {
    #[error("there is no car in {0}")]
    NoCar(String),
    #[error("the hotel does not answer")]
    NoAnswer,
    /// An activity that did not return: it panicked, or ran out of time. Its error is handled as any other.
    #[error(transparent)]
    Fault(#[from] Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    BookingFlight,
    BookingHotel,
    BookingCar,
    Cancelling,
}

#[orchestrator]
async fn book_trip(trip: Trip) -> Result<Booked, TripError> {
    let mut undo = Vec::new();
    let booked = book(&trip, &mut undo).await;
    if booked.is_err() {
        set_status(&Cancelling);
        while let Some(step) = undo.pop() {
            cancel(step, trip.city.clone()).await;
        }
    }
    booked
}

/// The steps; `undo` has those that may have happened.
///
/// A step is noted before it is taken, because one that fails may have happened all the same; so to cancel what was never
/// booked must do no harm.
#[helper]
async fn book(trip: &Trip, undo: &mut Vec<Stage>) -> Result<Booked, TripError> {
    undo.push(BookingFlight);
    set_status(&BookingFlight);
    let flight = book_flight(trip.clone()).await?;

    undo.push(BookingHotel);
    set_status(&BookingHotel);
    let hotel = book_hotel(trip.clone()).await?;

    undo.push(BookingCar);
    set_status(&BookingCar);
    let car = book_car(trip.clone()).await?;
    Ok(Booked { flight, hotel, car })
}

#[activity]
async fn book_flight(trip: Trip, #[state] ledger: &Ledger) -> Result<String, TripError> {
    ledger.work().await;
    Ok(format!("DF 101 to {}", trip.city))
}

#[activity(retry(max_attempts = 3, initial = "20ms"))]
async fn book_hotel(trip: Trip, #[state] ledger: &Ledger) -> Result<String, TripError> {
    ledger.work().await;
    match activity::attempt() {
        1 => Err(TripError::NoAnswer),
        _ => Ok(format!("Grand Hotel {}", trip.city)),
    }
}

#[activity]
async fn book_car(trip: Trip, #[state] ledger: &Ledger) -> Result<String, TripError> {
    ledger.work().await;
    if trip.with_car {
        Ok("a small one".to_owned())
    } else {
        Err(TripError::NoCar(trip.city))
    }
}

/// A cancellation is tried for as long as it takes: nobody else would clean up.
#[activity(retry(max_attempts = 1000, initial = "20ms", max_interval = "1m"))]
async fn cancel(_step: Stage, _city: String, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("saga", &["--fast", "--car"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1500 });
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let (city, with_car) = ("Oslo".to_owned(), args.has("--car"));
    let call = book_trip(Trip { city, with_car });
    let trip = engine.start(call).id(args.id("trip")).await?;
    invite(&trip).await?;
    let bar = Bar::new([BookingFlight, BookingHotel, BookingCar, Cancelling]);
    follow(&trip, &bar, async |_| Ok(())).await?;

    let result = trip.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
