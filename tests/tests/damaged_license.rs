//! A license file that was damaged or made to do harm, at the real command line.
//!
//! Every single bit is flipped in license-format's own tests; here a sample shows that the program
//! says the same.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use glasshour_tests::tell;
use glasshour_tests::{profiles, programs};

#[test]
fn a_license_with_a_flipped_bit_is_refused_or_says_the_very_same() -> Result<()> {
    tell(|story| {
        let (_, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        let good = std::fs::read(&file)?;
        let claims = glasshour_license_format::read(&good)?.claims().clone();
        let bad = story.folder().join("flipped.license.gz");
        let shown = story
            .agent
            .call(["license".as_ref(), "show".as_ref(), file.as_os_str()])?;
        assert_eq!(shown.code, 0, "{shown:?}");

        let (mut refused, mut same) = (0, 0);
        // The gzip header bit by bit (some of them carry nothing), then a bit here and there.
        let header = (0..10).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
        let sample = (10..good.len())
            .step_by(good.len() / 40)
            .map(|byte| (byte, byte % 8));
        for (byte, bit) in header.chain(sample) {
            let mut flipped = good.clone();
            *flipped.get_mut(byte).context("within the file")? ^= 1 << bit;
            std::fs::write(&bad, &flipped)?;
            let answer = story.agent.load(&bad);
            match (answer, glasshour_license_format::read(&flipped)) {
                (Err(_), Err(reason)) => {
                    let text = story
                        .agent
                        .call(["license".as_ref(), "show".as_ref(), bad.as_os_str()])?
                        .text();
                    assert!(text.contains(&reason.to_string()), "{reason}: {text}");
                    refused += 1;
                }
                (Ok(_), Ok(license)) => {
                    assert_eq!(license.claims(), &claims, "byte {byte} bit {bit}");
                    same += 1;
                }
                (answer, library) => {
                    anyhow::bail!("byte {byte} bit {bit}: {answer:?} against {library:?}")
                }
            }
        }
        assert!(
            refused > 60 && same > 0,
            "{refused} refused, {same} the same"
        );
        Ok(())
    })
}

#[test]
fn a_gzip_bomb_is_refused_within_little_memory() -> Result<()> {
    tell(|story| {
        let (_, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        let bomb = story.folder().join("bomb.license.gz");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 60 << 20])?;
        let bytes = encoder.finish()?;
        assert!(
            bytes.len() < glasshour_license_format::MAX_FILE_BYTES,
            "not refused by its size"
        );
        std::fs::write(&bomb, bytes)?;

        // 40 MiB of private memory in all, where the bomb inflates to 60.
        let show = |path: &std::path::Path| {
            std::process::Command::new("prlimit")
                .arg(format!("--data={}", 40 << 20))
                .arg(programs::ours("glasshour")?)
                .args(["license", "show"])
                .arg(path)
                .env("GLASSHOUR_HOME", story.agent.home())
                .output()
                .context("cannot run prlimit")
        };
        let fine = show(&file)?;
        assert!(fine.status.success(), "{fine:?}");
        let refused = show(&bomb)?;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(text.contains("inflates to more than"), "{text}");
        Ok(())
    })
}
