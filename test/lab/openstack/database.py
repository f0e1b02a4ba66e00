# SPDX-License-Identifier: Apache-2.0
"""MariaDB, keystone's keys, swift's rings, and the tables of every service. Making the tables takes most of a first start, so what
came out is kept in CACHE as a seed for the next lab with the same packages, ports and sources."""
import grp
import hashlib
import os
import pwd
import shutil
import subprocess
import tarfile
import time

import process
import services
from configuration import DATABASES
from lab import HERE, PASSWORD, REGION, Fault, say

SEED_PARTS = ('mysql/data', 'keystone', 'etc/account.ring.gz', 'etc/container.ring.gz', 'etc/object.ring.gz', 'endpoints.json')
RINGS = '''import sys
from swift.common.ring import RingBuilder
for kind, port in zip(('account', 'container', 'object'), sys.argv[1:]):
    ring = RingBuilder(4, 1, 0)
    ring.add_dev({'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': int(port), 'replication_ip': '127.0.0.1',
                  'replication_port': int(port), 'device': 'd1', 'weight': 1.0, 'meta': ''})
    ring.rebalance()
    ring.get_ring().save(kind + '.ring.gz')
'''


def seed_path(lab):
    told = [(lab.cache / 'packages').read_text(), str(lab.settings['port_offset']), str(sorted(lab.settings['gpus'].items())),
            str(lab.settings['limits'])]
    told += [file.read_text() for file in sorted(HERE.glob('*.py')) + sorted((HERE / 'etc').iterdir())]
    return lab.cache / f'seed-{hashlib.sha256(chr(0).join(told).encode()).hexdigest()[:16]}.tar.gz'


def sql(lab, statements):
    done = subprocess.run([f'{lab.root}/usr/bin/mariadb', '--no-defaults', '-u', 'root', '-S', lab.socket], input=statements, text=True,
                          capture_output=True, env=lab.environment(), check=False)
    if done.returncode:
        raise Fault(f'mariadb: {done.stderr.strip()}')


def restore(lab):
    """Whether the databases are there, from before or from a seed. Those of a first start that was broken off go."""
    seed = seed_path(lab)
    if (lab.state / 'endpoints.json').exists():
        return True
    process.stop(lab, ['mariadb'], 0)
    shutil.rmtree(lab.state / 'mysql/data', ignore_errors=True)
    if not seed.exists():
        return False
    with tarfile.open(seed) as file:
        file.extractall(lab.state)
    say('databases of an earlier lab')
    return True


def save(lab):
    """Keeps the seed. The database is stopped for it: its files must be whole."""
    process.stop(lab, ['mariadb'], 30)
    seed = seed_path(lab)
    for old in lab.cache.glob('seed-*'):
        if old.stat().st_mtime < time.time() - 7 * 86400:
            old.unlink()
    part = seed.with_suffix(f'.{os.getpid()}')
    with tarfile.open(part, 'w:gz', compresslevel=1) as file:
        for name in SEED_PARTS:
            file.add(lab.state / name, name)
    part.rename(seed)
    start(lab)


def start(lab):
    data = lab.state / 'mysql/data'
    if not (data / 'mysql').exists():
        data.mkdir(exist_ok=True)
        user = pwd.getpwuid(os.geteuid()).pw_name
        done = subprocess.run([f'{lab.root}/usr/bin/mariadb-install-db', '--no-defaults', '--force', f'--basedir={lab.root}/usr',
                               f'--datadir={data}', f'--user={user}', '--auth-root-authentication-method=normal', '--skip-test-db',
                               f'--lc-messages-dir={lab.root}/usr/share/mysql'], env=lab.environment(), capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Fault(f'mariadb-install-db: {(done.stdout + done.stderr)[-600:]}')
    services.start(lab, 'mariadb')
    until = time.monotonic() + 60
    while True:
        try:
            sql(lab, ''.join(f'CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3;' for name in DATABASES))
            return
        except Fault:
            if not process.pid_of(lab, 'mariadb') or time.monotonic() > until:
                raise
            time.sleep(0.1)


def manage(lab):
    """What makes the tables of each service: the module of its command, and the commands."""
    me, etc = pwd.getpwuid(os.geteuid()).pw_name, lab.state / 'etc'
    keys = ['--keystone-user', me, '--keystone-group', grp.getgrgid(os.getegid()).gr_name]
    cell = '{scheme}://{username}@{hostname}'  # the rest is what nova.conf says: the seed fits any folder
    keystone_url = f'{lab.url("keystone")}/v3'
    yield 'keystone', 'keystone.cmd.manage:main', [f'--config-file={etc}/keystone.conf'], [
        ['fernet_setup', *keys], ['credential_setup', *keys], ['db_sync'],
        ['bootstrap', '--bootstrap-password', PASSWORD, '--bootstrap-username', 'admin', '--bootstrap-project-name', 'admin',
         '--bootstrap-role-name', 'admin', '--bootstrap-service-name', 'keystone', '--bootstrap-region-id', REGION,
         *(word for kind in ('admin', 'public', 'internal') for word in (f'--bootstrap-{kind}-url', keystone_url))]]
    yield 'nova', 'nova.cmd.manage:main', [f'--config-file={etc}/nova.conf', f'--config-file={etc}/nova-db.conf'], [
        ['api_db', 'sync'], ['cell_v2', 'map_cell0', '--database_connection', cell + '/nova_cell0?{query}'], ['db', 'sync'],
        ['cell_v2', 'create_cell', '--name', 'cell1', '--database_connection', cell + '/{path}?{query}',
         '--transport-url', '{scheme}://{username}:{password}@{hostname}:{port}/']]
    yield 'neutron', 'neutron.db.migration.cli:main', [f'--config-file={etc}/neutron.conf'], [['upgrade', 'heads']]
    yield 'cinder', 'cinder.cmd.manage:main', [f'--config-file={etc}/cinder.conf'], [['db', 'sync']]
    yield 'glance', 'glance.cmd.manage:main', [f'--config-file={etc}/glance-api.conf'], [['db_sync']]
    yield 'placement', 'placement.cmd.manage:main', [f'--config-file={etc}/placement.conf'], [['db', 'sync']]


def make_tables(lab):
    """All services at the same time; returns when keystone's are made and a list of the others, which still work."""
    for folder in ('fernet-keys', 'credential-keys'):
        (lab.state / 'keystone' / folder).mkdir(mode=0o700, exist_ok=True)
    subprocess.run([lab.python, '-c', RINGS, *(str(lab.ports[f'swift_{kind}']) for kind in ('account', 'container', 'object'))],
                   cwd=lab.state / 'etc', env=lab.environment(), check=True)
    working = {}
    for name, main, options, commands in manage(lab):
        words = [lab.python, services.LAUNCH, main]
        for at, command in enumerate(commands):
            words += ['--'] * (at > 0) + [f'{name}-manage', *options, *command]
        with open(lab.state / f'log/tables-{name}.log', 'wb') as log:
            working[name] = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=lab.environment())
    made(lab, 'keystone', working.pop('keystone'))
    return working


def made(lab, name, worker):
    if worker.wait():
        raise Fault(f'the tables of {name}: see {lab.state}/log/tables-{name}.log')
    say(f'tables of {name}')


def neutron_hosts(lab):
    """An Open vSwitch agent per compute node, alive until 2099: neutron's real mechanism driver then binds ports. None runs."""
    sql(lab, ''.join(f'''INSERT INTO neutron.agents (id, agent_type, `binary`, topic, host, availability_zone, admin_state_up,
        created_at, started_at, heartbeat_timestamp, configurations, `load`) SELECT uuid(), 'Open vSwitch agent',
        'neutron-openvswitch-agent', 'N/A', '{host}', 'nova', 1, now(), now(), '2099-01-01',
        '{{"bridge_mappings": {{"physnet1": "br-ex"}}, "tunnel_types": [], "datapath_type": "system"}}', 0
        FROM dual WHERE NOT EXISTS (SELECT 1 FROM neutron.agents WHERE host = '{host}');''' for host in lab.computes))
