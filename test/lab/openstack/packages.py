# SPDX-License-Identifier: Apache-2.0
"""Debian's packages of the services, unpacked below CACHE/root: nothing is installed, no maintainer script runs, dpkg's database
and its lock are not touched, and root is not needed. Python packages that the system has are used from there, and a package
that would have been an upgrade of what the system has is left out (a plain install would upgrade systemd and udev)."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess

from lab import Fault, say

WANTED = '''python3-keystone python3-openstackclient uwsgi-core uwsgi-plugin-python3 mariadb-server-core mariadb-client-core
    rabbitmq-server python3-placement python3-nova nova-common python3-glance glance-common python3-cinder cinder-common
    python3-swift python3-keystonemiddleware python3-neutron neutron-common'''.split()
# Dependencies that the services run without: tools of a host, of building, of documentation, of Ceph.
UNUSED = re.compile('''udev|open-iscsi|sudo|logrotate|rsyslog|libisns0|libopeniscsiusr|graphviz|libann0|libcdt5|libcgraph6
    |libgts-0.7-5|libpathplan4|libgvc6|libgvpr2|libltdl7|liblab-gamut1|sphinx-common|python3-sphinx|python3-mypy
    |cryptsetup-bin|dbconfig-common|cgroup-tools|libcgroup2|bridge-utils|conntrack|ipset|thin-provisioning-tools
    |python3-ceph|python3-cephfs|python3-rgw|libcephfs2|librgw2|alembic|openstack-pkg-tools|po-debconf|intltool-debian
    |perl.*|libperl.*|systemd.*|libsystemd.*|libpam-systemd|libnss-systemd|libudev1''', re.VERBOSE)


def run(what, command, **how):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **how)
    if done.returncode:
        raise Fault(f'{what}: {(done.stderr or done.stdout).strip()[-600:]}')
    return done.stdout


def resolve():
    """The names of all packages that are not installed. "Inst NAME (" is new, "Inst NAME [" would be an upgrade."""
    command = ['apt-get', '-o', 'Debug::NoLocking=1', 'install', '-s', '--no-install-recommends', *WANTED]
    try:
        plan = run('apt-get install -s', command)
    except Fault:
        if os.geteuid():
            raise
        run('apt-get update', ['apt-get', '-q', 'update'])  # a machine that has no lists yet
        plan = run('apt-get install -s', command)
    names = sorted(set(re.findall(r'^Inst (\S+) \(', plan, re.MULTILINE)))
    return [name for name in names if not UNUSED.fullmatch(name)]


def own_links(root):
    """Absolute links inside the tree point at the system: those that have their target in the tree shall point there."""
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            link = pathlib.Path(folder, name)
            if link.is_symlink() and os.path.isabs(target := os.readlink(link)) and os.path.exists(f'{root}{target}'):
                link.unlink()
                link.symlink_to(f'{root}{target}')


def own_python(lab):
    """An environment of the system's Python that sees the tree: what `python3 -m venv` makes, and one line."""
    python = lab.cache / 'python'
    site = python / 'lib/python3.11/site-packages'
    site.mkdir(parents=True, exist_ok=True)
    lab.python.parent.mkdir(exist_ok=True)
    if not lab.python.is_symlink():
        lab.python.symlink_to('/usr/bin/python3')
    (python / 'pyvenv.cfg').write_text('home = /usr/bin\ninclude-system-site-packages = true\n')
    (site / 'tree.pth').write_text(f'import site; site.addsitedir("{lab.root}/usr/lib/python3/dist-packages")\n')


def unpack(lab):
    """CACHE/root, made once; CACHE/packages says what is in it."""
    listed = lab.cache / 'packages'
    mark = hashlib.sha256(f'{WANTED} {UNUSED.pattern}'.encode()).hexdigest()
    if listed.exists() and listed.read_text().startswith(mark):
        return
    debs = lab.cache / 'debs'
    debs.mkdir(parents=True, exist_ok=True)
    names = resolve()
    say(f'downloading {len(names)} packages')
    run('apt-get download', ['apt-get', '-o', 'APT::Sandbox::User=root', 'download', *names], cwd=debs)
    say('unpacking')
    lab.root.mkdir(parents=True, exist_ok=True)
    files = sorted(debs.glob('*.deb'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda file: run(f'dpkg-deb -x {file.name}', ['dpkg-deb', '-x', file, lab.root]), files))
    own_links(lab.root)
    erlang = lab.root / 'usr/lib/erlang/bin/erl'  # has its place compiled in
    erlang.write_text(re.sub(r'^( *ROOTDIR=)/usr', rf'\1{lab.root}/usr', erlang.read_text(), flags=re.MULTILINE))
    own_python(lab)
    for file in files:
        file.unlink()
    listed.write_text(mark + '\n' + ''.join(f'{file.name}\n' for file in files))
