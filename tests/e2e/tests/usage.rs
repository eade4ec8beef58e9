//! The command line itself: shells can complete, manuals can be read, what is nearly right is offered. That every command
//! and option of cleos is taken, `compared.rs` shows.

use std::process::{Command, Output, Stdio};

use e2e::binary;

fn boreas(words: &[&str]) -> Output {
    let mut command = Command::new(binary("boreas"));
    command.args(words).stdin(Stdio::null()).env_remove("BOREAS_URL").output().expect("boreas runs")
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
