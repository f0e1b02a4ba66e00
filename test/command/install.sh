#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make install puts everything where DESTDIR and PREFIX say, and the units name the program there.
set -eu
fail() { echo "$*"; exit 1; }

# -o all: what was built is installed as it is, though another PREFIX would compile another library folder in.
make -s -C "$ROOT" BUILD="${BUILD#"$ROOT"/}" -o all install DESTDIR="$PWD/d" PREFIX=/opt/x
cd d/opt/x
for file in bin/allot lib/allot/backend-libvirt.so lib/allot/backend-simulated.so share/allot/policies/pilot.policy \
    share/man/man1/allot.1 share/man/man5/allot-policy.5 share/man/man7/allot-ledger.7 \
    share/allot/examples/allot-tick.timer share/allot/examples/crontab share/bash-completion/completions/allot; do
    [ -s "$file" ] || fail "$file: not installed"
done
if grep -rl /usr/local share; then fail 'these name /usr/local, not PREFIX'; fi
grep -q '^\.Pa /opt/x/share/allot/policies' share/man/man5/allot-policy.5 || fail 'allot-policy(5) does not say where the policies are'
for file in share/allot/examples/*; do
    case $file in *.sh) want=755 ;; *) want=644 ;; esac
    [ "$(stat -c %a "$file")" = $want ] || fail "$file: mode $(stat -c %a "$file"), not $want"
done
status=0
bin/allot policy check no-such-one 2>said || status=$?
[ $status = 4 ] || fail "a policy that is not there: exit status $status"
grep -q 'looked in .*/policies and in .*/share/allot/policies)' said || fail "$(cat said)"
bin/allot help >/dev/null || fail 'the installed program does not start'
for word in tick reconcile notify; do
    grep -q "^ExecStart=/opt/x/bin/allot $word " "share/allot/examples/allot-$word.service" || fail "$word: other program in the unit"
    bin/allot help "$word" >/dev/null || fail "$word: a unit calls it, the program has no such command"
done
bash -n share/bash-completion/completions/allot
