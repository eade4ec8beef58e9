//! The command line itself: every command and option of cleos is taken, shells can complete, manuals can be read.

use std::process::{Command, Output, Stdio};

use e2e::binary;

/// Commands and options of cleos, from its help.
const OPTIONS: &str = include_str!("../cleos/options.txt");
/// What CLI11, and boreas as it, ends with for an option that does not exist.
const UNKNOWN: i32 = 109;

fn boreas(words: &[&str]) -> Output {
    let mut command = Command::new(binary("boreas"));
    command.args(words).stdin(Stdio::null()).env_remove("BOREAS_URL").output().expect("boreas runs")
}

/// Commands with their positional arguments and options; `transaction` stands for those that many commands share.
fn commands() -> Vec<(Vec<&'static str>, Vec<&'static str>, Vec<&'static str>)> {
    let lines = OPTIONS.lines().filter(|line| !line.starts_with('#'));
    let mut lines = lines.map(|line| {
        let mut parts = line.split('|').map(str::trim);
        let mut part = || parts.next().unwrap_or_default();
        (part(), part(), part())
    });
    let shared: Vec<_> = lines.next().expect("the shared options").2.split(' ').collect();
    let expand = |word: &'static str| if word == "transaction" { shared.clone() } else { vec![word] };
    let words = |text: &'static str| text.split(' ').filter(|word| !word.is_empty() && *word != ".");
    lines
        .map(|(command, positional, options)| {
            (words(command).collect(), words(positional).collect(), words(options).flat_map(expand).collect())
        })
        .collect()
}

#[test]
fn every_command_and_option_of_cleos_is_taken() {
    let mut missing = Vec::new();
    let commands = commands();
    assert_eq!(commands.len(), 121);
    for (command, positional, options) in commands {
        let help = boreas(&[&command[..], &["--help"]].concat());
        let shown = String::from_utf8_lossy(&help.stdout).into_owned();
        if help.status.code() != Some(0) {
            missing.push(command.join(" "));
            continue;
        }
        let usage = shown.lines().find(|line| line.starts_with("Usage:")).unwrap_or_default();
        let places =
            usage.matches(['<', '[']).count() - usage.matches("[OPTIONS]").count() - usage.matches("<COMMAND>").count();
        if places < positional.len() {
            missing.push(format!("{} has {} arguments: {usage}", command.join(" "), positional.len()));
        }
        // An option that does not exist is an error before --help is come to. All of them at once, else each.
        let spelled = |option: &str| -> Vec<String> {
            let takes = option.ends_with('=');
            let names = option.trim_end_matches('=').split(',');
            names.flat_map(|name| [name.to_owned()].into_iter().chain(takes.then(|| "1".to_owned()))).collect()
        };
        let known = |options: &[&str]| {
            let words: Vec<_> = options.iter().flat_map(|option| spelled(option)).collect();
            let words: Vec<_> =
                command.iter().copied().chain(words.iter().map(String::as_str)).chain(["--help"]).collect();
            boreas(&words).status.code()
        };
        if options.is_empty() || known(&options) == Some(0) {
            continue;
        }
        let unknown = options.iter().filter(|option| known(&[**option]) == Some(UNKNOWN));
        missing.extend(unknown.map(|option| format!("{} {option}", command.join(" "))));
    }
    assert!(missing.is_empty(), "cleos has what boreas has not:\n{}", missing.join("\n"));
}

#[test]
fn shells_complete_and_manuals_are_pages() {
    for (shell, sign) in [("bash", "complete -F _boreas"), ("zsh", "#compdef boreas"), ("fish", "complete -c boreas")] {
        let done = boreas(&["completion", shell]);
        let script = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && script.contains(sign) && script.contains("undelegatebw"), "{shell}");
        if shell == "bash" {
            let folder = tempfile::tempdir().expect("temporary folder");
            let file = folder.path().join("boreas.bash");
            std::fs::write(&file, &*done.stdout).expect("a file");
            let lines = format!(
                "source {}; COMP_WORDS=(boreas system vot); COMP_CWORD=2; _boreas boreas vot system; echo ${{COMPREPLY[@]}}",
                file.display()
            );
            let completed = Command::new("bash").args(["-c", &lines]).output().expect("bash runs");
            assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "voteproducer vote");
        }
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().to_str().expect("UTF-8");
    assert!(boreas(&["man", path]).status.success());
    let page = std::fs::read_to_string(folder.path().join("boreas-system-vote-show.1")).expect("a page");
    assert!(page.starts_with(".ie") && page.contains("what an account"), "{page}");
    let pages = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert!(pages > 120, "{pages} pages");
    assert!(!folder.path().join("boreas-wallet-sweep.1").exists(), "what is hidden has no page");
}

#[test]
fn commands_that_are_nearly_right_are_offered() {
    for (line, meant) in [("sistem", "system"), ("system votte", "vote"), ("wallet unlok", "unlock")] {
        let done = boreas(&line.split(' ').collect::<Vec<_>>());
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(106) && text.contains(&format!("'{meant}'")), "{text}");
    }
}
