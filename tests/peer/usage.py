"""The help of cleos and of boreas, read: what each command takes. Words are not compared, boreas has its own."""

import re
import subprocess
from dataclasses import dataclass

# What CLI11 ends with where an option lacks its value, or the next word is not one.
NO_VALUE = (104, 114)
# Nothing here takes longer.
SECONDS = 60


@dataclass(frozen=True)
class Option:
    """An option: its names, whether a value follows, whether it has to be there."""

    names: tuple
    value: bool
    required: bool


@dataclass(frozen=True)
class Command:
    """What a command takes: of each positional argument in order whether it has to be there; options; commands."""

    arguments: tuple
    options: tuple
    commands: tuple


def run(program, words, folder=None):
    """Exit status, standard output and standard error of a program that gets no input."""
    done = subprocess.run(
        [program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, cwd=folder
    )
    return done.returncode, done.stdout, done.stderr


def sections(text):
    """The entries of each section by its title. They stand at most six letters from the left; what explains them is
    further right."""
    found, title = {}, None
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z]\w+:", line):
            title = line[:-1]
        elif title and re.match(r" {2,6}\S", line):
            found.setdefault(title, []).append(line.strip())
    return found


class Cleos:
    """Reads the help of CLI11."""

    def __init__(self, program):
        self.program, self.tried = program, {}

    def command(self, words):
        parts = sections(run(self.program, [*words, "--help"])[1])
        arguments = tuple("REQUIRED" in re.split(r"\s{2,}", line)[0] for line in parts.get("Positionals", []))
        options = tuple(self.option(words, line) for line in parts.get("Options", []))
        return Command(arguments, options, tuple(line.split()[0] for line in parts.get("Subcommands", [])))

    def option(self, words, line):
        names, kind = re.match(r"(\S+)((?: \S+)*)(?:\s{2,}|$)", line).groups()
        value = bool(kind) or self.takes_value(words, line)
        return Option(tuple(names.split(",")), value, "REQUIRED" in kind)

    def takes_value(self, words, line):
        """The help does not say of every option whether a value follows: it is tried, once for options that read alike."""
        if line not in self.tried:
            self.tried[line] = run(self.program, [*words, line.split()[0].split(",")[-1]])[0] in NO_VALUE
        return self.tried[line]


class Boreas:
    """Reads the help of clap."""

    def __init__(self, program):
        self.program = program

    def command(self, words):
        """None where there is no such command."""
        status, shown, _ = run(self.program, [*words, "--help"])
        if status:
            return None
        parts = sections(shown)
        usage = re.search(r"^Usage: (.*)", shown, re.M).group(1)
        places = re.sub(r"--\S+ <[^>]+>(\.\.\.)?|\[OPTIONS\]|<COMMAND>", "", usage)
        arguments = tuple(place[0] == "<" for place in re.findall(r"<[^>]+>|\[[^\]]+\]", places))
        options = tuple(self.option(line, usage) for line in parts.get("Options", []))
        return Command(arguments, options, tuple(line.split()[0] for line in parts.get("Commands", [])))

    def option(self, line, usage):
        names, value = re.match(r"((?:-\w, )?--[\w-]+|-\w)( <| \[<)?", line).groups()
        names = tuple(names.split(", "))
        return Option(names, bool(value), re.search(rf"(?<!\S){names[-1]} <", usage) is not None)

    def takes(self, words, name, value):
        """Whether a command takes an option that its help does not show."""
        return run(self.program, [*words, name, *(["1"] if value else []), "--help"])[0] == 0
