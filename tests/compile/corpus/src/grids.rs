//! Grids: a game of life, a flood, a maze, a board.

use std::collections::{BTreeSet, VecDeque};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{measure, notify};

type Cell = (i32, i32);

const AROUND: [Cell; 8] = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];

fn generation(alive: &BTreeSet<Cell>) -> BTreeSet<Cell> {
    let near = |(x, y): Cell| AROUND.iter().map(move |(a, b)| (x + a, y + b));
    let candidates: BTreeSet<Cell> = alive.iter().copied().flat_map(near).chain(alive.iter().copied()).collect();
    candidates
        .into_iter()
        .filter(|cell| {
            let count = near(*cell).filter(|it| alive.contains(it)).count();
            count == 3 || count == 2 && alive.contains(cell)
        })
        .collect()
}

#[orchestrator(name = "corpus.life")]
pub async fn life(start: BTreeSet<(i32, i32)>, rounds: usize) -> usize {
    let mut alive = start;
    let mut before = Vec::new();
    for round in 0..rounds {
        let next = generation(&alive);
        if before.iter().rev().take(4).any(|it| *it == next) {
            notify("life".to_owned(), format!("goes in circles from round {round}")).await;
            break;
        }
        before.push(std::mem::replace(&mut alive, next));
        sleep(seconds(1)).await;
    }
    let (mut low, mut high) = ((0, 0), (0, 0));
    for &(x, y) in &alive {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    for y in low.1..=high.1 {
        let line: String = (low.0..=high.0).map(|x| if alive.contains(&(x, y)) { '#' } else { '.' }).collect();
        notify("life".to_owned(), line).await;
    }
    alive.len()
}

#[orchestrator(name = "corpus.flood")]
pub async fn flood(width: u32, height: u32) -> Vec<Vec<u32>> {
    let mut heights = Vec::new();
    for row in 0..height {
        let cells = join_all((0..width).map(|column| measure(row * width + column))).await;
        heights.push(cells.iter().map(|it| it.iter().sum::<f64>()).collect::<Vec<f64>>());
    }
    let mut basin = vec![vec![0; width as usize]; height as usize];
    let mut number = 0;
    for y in 0..heights.len() {
        for x in 0..heights[y].len() {
            if basin[y][x] != 0 || heights[y][x] > 8.0 {
                continue;
            }
            number += 1;
            let mut wet = VecDeque::from([(x, y)]);
            while let Some((x, y)) = wet.pop_front() {
                if std::mem::replace(&mut basin[y][x], number) != 0 {
                    continue;
                }
                let near = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                for (a, b) in near {
                    let Some(height) = heights.get(b).and_then(|row| row.get(a)) else {
                        continue;
                    };
                    if *height <= 8.0 && basin[b][a] == 0 {
                        wet.push_back((a, b));
                    }
                }
            }
        }
    }
    for row in basin.iter_mut() {
        for cell in row.iter_mut().filter(|cell| **cell > number / 2) {
            *cell = 0;
        }
    }
    basin
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    X,
    O,
}

static MOVE: Event<(usize, usize)> = Event::new("move");

fn winner(board: &[[Option<Mark>; 3]; 3]) -> Option<Mark> {
    let mut lines: Vec<[Option<Mark>; 3]> = board.to_vec();
    for column in 0..3 {
        lines.push(board.map(|row| row[column]));
    }
    lines.push([board[0][0], board[1][1], board[2][2]]);
    lines.push([board[0][2], board[1][1], board[2][0]]);
    lines.into_iter().find_map(|line| match line {
        [Some(a), Some(b), Some(c)] if a == b && b == c => Some(a),
        _ => None,
    })
}

#[orchestrator(name = "corpus.game")]
pub async fn game() -> Option<Mark> {
    let mut board = [[None; 3]; 3];
    let mut turn = Mark::X;
    while board.iter().flatten().any(Option::is_none) {
        let (row, column) = match timeout(days(1), MOVE.wait()).await {
            Ok(place) => place,
            Err(_) => break,
        };
        let Some(cell @ None) = board.get_mut(row).and_then(|it| it.get_mut(column)) else {
            notify(format!("{turn:?}"), "not there".to_owned()).await;
            continue;
        };
        *cell = Some(turn);
        if let Some(winner) = winner(&board) {
            return Some(winner);
        }
        turn = if turn == Mark::X { Mark::O } else { Mark::X };
        let drawn = board.iter().map(|row| {
            row.iter().map(|cell| cell.map_or("-".to_owned(), |it| format!("{it:?}"))).collect::<String>()
        });
        set_status(&drawn.collect::<Vec<_>>().join("/"));
    }
    None
}
