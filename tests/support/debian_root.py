#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a Debian root with apt and dpkg of what is installed on this machine, without a network.

Usage: debian_root.py DIR [PACKAGE]...

DIR must not exist.  It gets all essential packages, apt, the PACKAGEs, and what these depend on, as dpkg would have unpacked and
configured them: files with owners, times, links and extended attributes, and dpkg's own database.  What a machine may have changed
counts as what the package brought (conffiles, files that dpkg was told to leave out), so that `dpkg --verify` has nothing to say.
Documentation and translations are left out, and what maintainer scripts have made, but for the shell.
"""
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys

ADMIN = "/var/lib/dpkg"
LEFT_OUT = re.compile(r"/usr/share/(doc|man|info|locale|lintian|bash-completion|bug)(/|$)")
# Those of mounts and the ones that nothing brings, but everybody expects.
FOLDERS = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "run": 0o755, "tmp": 0o1777, "root": 0o700, "srv": 0o755}


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)


def native():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


class Package:
    """An installed package: its paragraph in dpkg's status, and what it is called there."""

    def __init__(self, paragraph):
        self.paragraph = paragraph
        self.fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", paragraph, re.M))
        self.name = self.fields["Package"]

    def is_of(self, architecture):
        return self.fields["Status"].endswith(" ok installed") and self.fields["Architecture"] in (architecture, "all")

    def info(self):
        """The files about it, by what they are."""
        folder = f"{ADMIN}/info"
        label = f"{self.name}:{self.fields['Architecture']}"
        if not os.path.exists(f"{folder}/{label}.list"):
            label = self.name
        names = (n for n in os.listdir(folder) if n.startswith(label + "."))
        return {n[len(label) + 1 :]: f"{folder}/{n}" for n in names}

    def alternatives(self):
        """For each relation, the names that fulfil it."""
        for field in ("Pre-Depends", "Depends"):
            for relation in filter(None, self.fields.get(field, "").split(",")):
                yield [re.sub(r"[:( ].*", "", one.strip()) for one in relation.split("|")]

    def provides(self):
        return [re.sub(r"[:( ].*", "", one.strip()) for one in self.fields.get("Provides", "").split(",")]


def installed():
    architecture = native()
    found = (Package(p.strip("\n") + "\n") for p in read(f"{ADMIN}/status").split("\n\n") if p.strip())
    return {p.name: p for p in found if p.is_of(architecture)}


def closure(names):
    """What these need, of what is there."""
    there = installed()
    provided = {virtual: p.name for p in there.values() for virtual in p.provides() if virtual}
    wanted = [p.name for p in there.values() if p.fields.get("Essential") == "yes"] + ["apt", *names]
    chosen = {}
    while wanted:
        name = wanted.pop()
        if name in chosen:
            continue
        if name not in there:
            sys.exit(f"debian_root.py: the package '{name}' is not installed on this machine; install it")
        chosen[name] = there[name]
        for choices in there[name].alternatives():
            best = [c for c in choices if c in there] + [provided[c] for c in choices if c in provided]
            wanted += best[:1]
    return sorted(chosen.values(), key=lambda p: p.name)


def canonical(path):
    """/lib/x is /usr/lib/x where /lib is a link."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def is_file(path):
    return os.path.isfile(path) and not os.path.islink(path)


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.md5(f.read()).hexdigest()


class Root:
    """The tree that is made."""

    def __init__(self, folder):
        self.folder = folder
        self.paths = set()
        self.status = []

    def at(self, path):
        return self.folder + path

    def take(self, package):
        info = package.info()
        listed = [p for p in read(info["list"]).split("\n") if p and not LEFT_OUT.match(p) and os.path.lexists(p)]
        self.paths.update(canonical(p) for p in listed if p != "/.")
        self.add_info(package, info, listed)
        # Also where this machine has a conffile that its administrator has removed.
        paragraph = re.sub(r"^ (/\S+) (\w+)( obsolete)?\n", self.conffile, package.paragraph, flags=re.M)
        paragraph = re.sub(r"^Conffiles:\n(?! )", "", paragraph, flags=re.M)
        self.status.append(re.sub(r"^Status: .*", "Status: install ok installed", paragraph, flags=re.M))

    @staticmethod
    def conffile(match):
        path = match.group(1)
        return f" {path} {digest_of(path)}{match.group(3) or ''}\n" if is_file(path) else ""

    def add_info(self, package, info, listed):
        conffiles = set(read(info["conffiles"]).split("\n")) if "conffiles" in info else set()
        sums = [f"{digest_of(p)}  {p[1:]}\n" for p in listed if is_file(p) and p not in conffiles]
        made = {"list": "".join(p + "\n" for p in listed), "md5sums": "".join(sums)}
        for what, path in info.items():
            target = self.at(path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if what in made:
                write(target, made[what])
            else:
                shutil.copy2(path, target)

    def copy_files(self):
        """By tar, which keeps hard links and all else."""
        names = "".join(f".{p}\0" for p in sorted(self.paths)).encode(errors="surrogateescape")
        pack = ["tar", "-C", "/", "--no-recursion", "--xattrs", "--xattrs-include=*", "--null", "-T", "-", "-cf", "-"]
        unpack = ["tar", "-C", self.folder, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", "-"]
        with subprocess.Popen(pack, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as packing:
            with subprocess.Popen(unpack, stdin=packing.stdout) as unpacking:
                packing.stdin.write(names)
                packing.stdin.close()
        if packing.returncode or unpacking.returncode:
            sys.exit("debian_root.py: tar could not copy the files of the packages")

    def add_database(self, packages):
        names = {p.name for p in packages}
        write(self.at(f"{ADMIN}/status"), "\n".join(self.status))
        write(self.at(f"{ADMIN}/info/format"), "1\n")
        for name in ("available", "statoverride"):
            write(self.at(f"{ADMIN}/{name}"), "")
        for name in ("updates", "alternatives"):
            os.makedirs(self.at(f"{ADMIN}/{name}"), exist_ok=True)
        lines = read(f"{ADMIN}/diversions").split("\n")
        diverted = [lines[i : i + 3] for i in range(0, len(lines) - 2, 3)]
        write(self.at(f"{ADMIN}/diversions"), "".join(line + "\n" for d in diverted if d[2] in names for line in d))
        self.add_triggers(names)

    def add_triggers(self, names):
        """Who wants to be told of what."""
        folder = f"{ADMIN}/triggers"
        for name in os.listdir(folder):
            lines = [line for line in read(f"{folder}/{name}").split("\n")
                     if line and re.sub(r"[:/][^ ]*$", "", line.split(" ")[-1]) in names]
            if lines or name in ("File", "Lock", "Unincorp"):
                write(self.at(f"{folder}/{name}"), "".join(line + "\n" for line in lines))

    def add_what_scripts_make(self):
        for name, mode in FOLDERS.items():
            os.makedirs(self.at(f"/{name}"), exist_ok=True)
            os.chmod(self.at(f"/{name}"), mode)
        if not os.path.lexists(self.at("/bin/sh")):
            os.symlink("dash", self.at("/bin/sh"))
        apt = pwd.getpwnam("_apt")
        users = read("/usr/share/base-passwd/passwd.master")
        write(self.at("/etc/passwd"), users + f"_apt:x:{apt.pw_uid}:{apt.pw_gid}::/nonexistent:/usr/sbin/nologin\n")
        shutil.copy("/usr/share/base-passwd/group.master", self.at("/etc/group"))
        subprocess.run(["ldconfig", "-r", self.folder], check=True)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: debian_root.py DIR [PACKAGE]...")
    os.umask(0o022)
    os.mkdir(sys.argv[1])
    packages = closure(sys.argv[2:])
    root = Root(os.path.abspath(sys.argv[1]))
    for package in packages:
        root.take(package)
    root.copy_files()
    root.add_database(packages)
    root.add_what_scripts_make()


main()
