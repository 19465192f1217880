#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every system call that shale makes is one that shale-failing can fail (tests/support/failing_calls.c), or is named here.
# SANITIZERS: only
# NEEDS: nm python3
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

python3 - "$SHALE_BUILD" <<'END'
import glob, re, subprocess, sys

CANNOT_FAIL = "alarm clock_gettime close closedir exit getegid geteuid getpid getppid getrandom madvise munmap time umask uname"
OF_PROCESS = "getrlimit64 ioctl kill prctl sched_getaffinity setrlimit64 sigaction signal sigprocmask"
OF_MOUNTS = "chdir dup2 fork mount nanosleep poll ppoll recvmsg sendmsg setsid signalfd socketpair umount2 waitpid writev"
OF_SESSIONS = "accept4 bind chroot connect eventfd getsockopt listen move_mount open_tree setns socket unshare"
UNWRAPPED = set(f"{CANNOT_FAIL} {OF_PROCESS} {OF_MOUNTS} {OF_SESSIONS}".split())
# Functions that make a system call of another name, or of one that some machines do not have.
MORE = set("closedir fdopendir fstatat64 mkdir opendir poll pthread_create readdir64 signal syscall waitpid".split())

def symbols(options, *paths):
    lines = subprocess.run(["nm", *options, *paths], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) in (2, 3)}

calls = set(MORE)
for path in glob.glob("/usr/include/*/asm/unistd*.h") + glob.glob("/usr/include/asm-generic/unistd.h"):
    with open(path, encoding="utf-8") as f:
        calls.update(re.findall(r"#define __NR_(\w+)", f.read()))
asked = symbols(["-u"], *glob.glob(sys.argv[1] + "/[!t]*/lib*.a"))
made = {name for name in asked if name in calls or name.removesuffix("64") in calls}
wrapped = {name[len("__wrap_"):] for name in symbols(["--defined-only"], sys.argv[1] + "/tests/support/shale-failing")
           if name.startswith("__wrap_")}
if len(made) < 40 or len(wrapped) < 40:
    sys.exit(f"FAIL: only {len(made)} calls, {len(wrapped)} wrapped")
if new := made - wrapped - UNWRAPPED:
    sys.exit(f"FAIL: nobody fails these: {sorted(new)}")
if old := UNWRAPPED - made | UNWRAPPED & wrapped:
    sys.exit(f"FAIL: these are excused in vain: {sorted(old)}")
END
