# SPDX-License-Identifier: Apache-2.0
"""One lab: its folder, its settings, its ports. What was given at the first start is kept in STATE/settings.json."""
import json
import os
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = 'secret'  # of admin and of every service: all of it is on loopback
REGION = 'RegionOne'
PORTS = {'keystone': 5000, 'placement': 8778, 'nova': 8774, 'glance': 9292, 'cinder': 8776, 'neutron': 9696, 'swift': 8080,
         'swift_object': 6200, 'swift_container': 6201, 'swift_account': 6202, 'amqp': 5672, 'epmd': 4369, 'erlang': 5673}
OFFSETS = range(20000, 23000, 100)  # all below 32768, where Linux takes the ports of outgoing connections from
DEFAULTS = {'port_offset': None, 'computes': 1, 'gpus': {'T4': 8, 'V100': 16, 'A100': 16, 'H100': 16}, 'limits': False,
            'cache': None}
BEGAN = time.monotonic()
CLAIMS = []


def say(text):
    print(f'openstack-up: {time.monotonic() - BEGAN:5.1f} s  {text}', file=sys.stderr, flush=True)


class Fault(Exception):
    """What stops the work: a sentence for the user."""


def listening():
    """The TCP ports that are taken on this machine."""
    ports = set()
    for name in ('/proc/net/tcp', '/proc/net/tcp6'):
        try:
            with open(name, encoding='ascii') as file:
                ports |= {int(line.split()[1].rpartition(':')[2], 16) for line in list(file)[1:] if line.split()[3] == '0A'}
        except FileNotFoundError:  # no IPv6 here
            pass
    return ports


def free_offset():
    """One whose ports are free, and that no other openstack-up is about to take: its abstract socket ends with its process."""
    taken = listening()
    for offset in OFFSETS:
        if taken.isdisjoint(port + offset for port in PORTS.values()):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f'\0allot-lab-{offset}')
            except OSError:
                continue
            CLAIMS.append(claim)
            return offset
    raise Fault('no offset between 20000 and 23000 has all its ports free: give --port-offset')


class Lab:
    def __init__(self, state, **given):
        """The lab of a folder; settings that are not given are those of its first start."""
        self.state = pathlib.Path(state).resolve()
        file = self.state / 'settings.json'
        kept = json.loads(file.read_text()) if file.exists() else {}
        given = {name: value for name, value in given.items() if value is not None}
        for name, value in given.items():
            if name != 'cache' and kept.get(name, value) != value:
                raise Fault(f'{self.state} was started with {name} {kept[name]}; end it with openstack-down STATE --purge first')
        self.settings = {**DEFAULTS, 'suite': os.environ.get('ALLOT_SUITE', ''), **kept, **given}
        self.cache = pathlib.Path(self.settings['cache'] or self.state / 'cache').resolve()
        self.root = self.cache / 'root'
        self.python = self.cache / 'python/bin/python3'
        if self.settings['port_offset'] is None:
            self.settings['port_offset'] = free_offset()
        self.ports = {name: port + self.settings['port_offset'] for name, port in PORTS.items()}
        self.computes = [f'gpu-node-{number + 1}' for number in range(self.settings['computes'])]
        self.socket = self.state / 'mysql/mysql.sock'

    def save(self):
        for folder in ('etc', 'log', 'run', 'lock'):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        (self.state / 'settings.json').write_text(json.dumps({**self.settings, 'cache': str(self.cache)}, indent=1) + '\n')

    def url(self, service):
        return f'http://127.0.0.1:{self.ports[service]}'

    def environment(self):
        """That of every process: nothing of the caller's but the mark by which a run of tests knows its processes."""
        tree = self.root
        return {'PATH': f'{tree}/usr/bin:{tree}/usr/sbin:{tree}/usr/lib/erlang/bin:/usr/sbin:/usr/bin:/sbin:/bin',
                'HOME': str(self.state), 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'no_proxy': '*', 'PYTHONWARNINGS': 'ignore',
                'LD_LIBRARY_PATH': f'{tree}/usr/lib/x86_64-linux-gnu:{tree}/lib/x86_64-linux-gnu',
                'PYTHONPATH': str(HERE / 'modules'), 'PYTHONPYCACHEPREFIX': f'{self.cache}/bytecode', 'EVENTLET_NO_GREENDNS': 'yes',
                'OS_KEYSTONE_CONFIG_DIR': f'{self.state}/etc', 'OS_PLACEMENT_CONFIG_DIR': f'{self.state}/etc',
                'LAB': str(self.state), 'ALLOT_SUITE': self.settings['suite']}
