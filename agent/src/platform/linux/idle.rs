//! How long there has been no input, by the X server's own clock (MIT-SCREEN-SAVER).

use std::time::Duration;

use x11rb::protocol::screensaver::{self, ConnectionExt as _};

use super::connection::{Connection, reply};
use crate::platform::{Idle, Unavailable};

/// Idle time of one X display.
pub(super) struct X11Idle {
    connection: Connection,
}

impl X11Idle {
    pub(super) fn open(display: &str) -> Result<Self, Unavailable> {
        let connection = Connection::open(display)?;
        if !connection.has(screensaver::X11_EXTENSION_NAME)? {
            return Err(Unavailable::Unsupported(
                "this X server does not tell how long there has been no input (it lacks \
                 MIT-SCREEN-SAVER), so time away cannot be told from time at work"
                    .to_owned(),
            ));
        }
        Ok(Self { connection })
    }
}

impl Idle for X11Idle {
    fn idle(&mut self) -> Result<Duration, Unavailable> {
        let wire = self.connection.wire();
        let answer = reply(wire.screensaver_query_info(self.connection.root()))?;
        Ok(Duration::from_millis(answer.ms_since_user_input.into()))
    }
}
