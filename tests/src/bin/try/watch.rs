//! While the worklog runs: work in the windows of a display of our own, and tell how it goes, until
//! the time is over or somebody says stop.

use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_tests::desktop::Input;
use glasshour_tests::wait::now;
use glasshour_tests::{Desktop, Seen};

use crate::show::{Countdown, Steps};
use crate::stage::Stage;

/// Between two spells of work in the windows.
const BREATH: Duration = Duration::from_millis(1500);

/// What was done while recording.
pub(crate) struct Recorded {
    /// Key presses sent; `None` where nothing was typed because the display is the user's.
    pub(crate) keys_sent: Option<u32>,
    /// The time asked for was recorded to its end: only then are there numbers to expect.
    pub(crate) whole: bool,
}

/// Set by Ctrl-C, SIGTERM, or Enter.
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // The second time ends the program at once, should it hang.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Also listens for Enter. The end of the input is no Enter: a script has none to give.
    fn on_enter(&self) {
        let flag = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut line = String::new();
            if std::io::stdin()
                .lock()
                .read_line(&mut line)
                .is_ok_and(|bytes| bytes > 0)
            {
                flag.store(true, Ordering::SeqCst);
            }
        });
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Works and tells until the time is over; without a time, until somebody says stop.
pub(crate) fn record(
    stage: &Stage,
    time: Option<Duration>,
    stop: &Stop,
    steps: &mut Steps,
) -> Result<Recorded> {
    if time.is_none() {
        stop.on_enter();
    }
    let input = stage.desktop.as_ref().map(Desktop::input);
    let mut keys_sent = input.as_ref().map(|_| 0);
    let mut countdown = Countdown::begin(steps.next("record the worklog"), time);
    let begun = now();
    let mut spell = 0;
    while !stop.is_set() && time.is_none_or(|time| begun.elapsed() < time) {
        if let (Some(input), Some(keys)) = (&input, &mut keys_sent) {
            *keys += work(input, spell)?;
        }
        spell += 1;
        countdown.tell(begun.elapsed(), &so_far(stage)?);
        std::thread::sleep(match time {
            Some(time) => BREATH.min(time.saturating_sub(begun.elapsed())),
            None => BREATH,
        });
    }
    countdown.finish(&so_far(stage)?);
    let whole = time.is_some_and(|time| begun.elapsed() >= time);
    Ok(Recorded { keys_sent, whole })
}

/// A little of each kind of input; gives the keys pressed.
fn work(input: &Input, spell: u32) -> Result<u32> {
    let keys = input.type_keys(14 + spell % 9)?;
    match spell % 3 {
        0 => input.click(1).map(drop)?,
        1 => input.scroll(2).map(drop)?,
        _ => input.wander()?,
    }
    Ok(keys)
}

fn so_far(stage: &Stage) -> Result<String> {
    let seen = Seen::now(&stage.server.api(), &stage.employee)?;
    Ok(format!(
        "at the server: {} screenshots, {} activity, {} session",
        seen.count(Kind::Screenshot),
        seen.count(Kind::Activity),
        seen.count(Kind::Session)
    ))
}
