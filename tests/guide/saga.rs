//! Undoing what was done.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trip {
    city: String,
    nights: u32,
}

#[activity]
async fn book_flight(trip: Trip) -> String {
    format!("flight to {}", trip.city)
}

#[activity]
async fn book_hotel(trip: Trip) -> Result<String, Error> {
    match trip.nights {
        0..=14 => Ok(format!("hotel in {}", trip.city)),
        _ => Err(Error::msg("no room is free for so long")),
    }
}

#[activity]
async fn book_car(trip: Trip) -> Result<String, Error> {
    assert!(trip.nights != 13, "a defect in this activity");
    Ok(format!("car in {}", trip.city))
}

#[activity(retry(max_attempts = 20))]
async fn cancel(booking: String) -> Result<(), Error> {
    drop(booking);
    Ok(())
}

#[orchestrator]
async fn book(trip: Trip) -> Result<Vec<String>, Error> {
    let mut booked = Vec::new();
    let result = book_all(trip, &mut booked).await;
    if let Err(error) = result {
        for booking in booked.into_iter().rev() {
            cancel(booking).await?;
        }
        return Err(error);
    }
    Ok(booked)
}

#[helper]
async fn book_all(trip: Trip, booked: &mut Vec<String>) -> Result<(), Error> {
    booked.push(book_flight(trip.clone()).await);
    booked.push(book_hotel(trip.clone()).await?);
    booked.push(book_car(trip).await?);
    Ok(())
}

#[tokio::test]
async fn all_is_booked_or_nothing_is() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    for (nights, expected) in [
        (3, Ok(3)),
        (13, Err("`book_car` panicked: a defect in this activity")),
        (15, Err("no room is free for so long")),
    ] {
        let city = "Lisbon".to_owned();
        let booked = engine.start(book(Trip { city, nights })).await?;
        let booked = booked.result().await?;
        let booked = booked.map(|booked| booked.len());
        assert_eq!(
            booked.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }
    Ok(())
}
