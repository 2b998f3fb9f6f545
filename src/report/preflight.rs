//! What a layout cannot say, told before the upload.

use super::numbers::grouped;
use crate::output::{Finding, Weight};

/// The findings of a run as a person reads them: the heaviest first, each with how often and the first examples.
pub fn preflight_text<'f>(
    tool: &str,
    layout: &str,
    findings: impl Iterator<Item = &'f Finding>,
) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.weight {
            Weight::Refused => '✗',
            Weight::Loss => '!',
            Weight::Note => '·',
        };
        let times = if finding.count > 1 {
            format!("{} times: ", grouped(finding.count))
        } else {
            String::new()
        };
        text.push_str(&format!("  {mark} {times}{}\n", finding.message));
        let examples = finding
            .examples
            .iter()
            .filter(|example| !example.is_empty());
        for example in examples {
            text.push_str(&format!("      {example}\n"));
        }
        if !finding.help.is_empty() {
            text.push_str(&format!("    help: {}\n", finding.help));
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("Held against {tool} ({layout}):\n{text}")
}
