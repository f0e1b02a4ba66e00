# SPDX-License-Identifier: Apache-2.0
"""Processes of a lab. run/NAME holds "PID STARTTIME": the pair names one process for good, so that a number which the system
has given to another is never signalled. Each is the leader of a session; what it starts ends with it."""
import os
import signal
import subprocess
import time


def stat(pid):
    """(session, start time) of a process that runs, or None."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            fields = file.read().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else (int(fields[3]), int(fields[19]))


def pid_of(lab, name):
    """The process id of a service that runs, or None."""
    try:
        pid, started = map(int, (lab.state / 'run' / name).read_text().split())
    except (OSError, ValueError):
        return None
    now = stat(pid)
    return pid if now and now[1] == started else None


def start(lab, name, command, environment):
    with open(lab.state / f'log/{name}.out', 'ab') as out:
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                 env=environment, cwd=lab.state, start_new_session=True)
    (lab.state / 'run' / name).write_text(f'{child.pid} {stat(child.pid)[1]}\n')


def members(session):
    """The processes of a session."""
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            now = stat(int(entry))
            if now and now[0] == session:
                yield int(entry)


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def stop(lab, names, patience):
    """Asks services to end, together; those that have not in `patience` seconds are killed. What outlives its leader goes too."""
    leaders = {name: pid for name in names if (pid := pid_of(lab, name))}
    if patience:
        for pid in leaders.values():
            send(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while time.monotonic() < until and any(pid_of(lab, name) for name in leaders):
        collect()
        time.sleep(0.05)
    for name, leader in leaders.items():
        while rest := list(members(leader)):
            for pid in rest:
                send(pid, signal.SIGKILL)
            time.sleep(0.02)
            collect()
        (lab.state / 'run' / name).unlink(missing_ok=True)


def collect():
    """Children of this very process that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
