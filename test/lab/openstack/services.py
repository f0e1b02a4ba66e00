# SPDX-License-Identifier: Apache-2.0
"""The services: how each is started, in this order, and when it is ready."""
import glob
import socket
import time
import urllib.error
import urllib.request

import process
from lab import HERE, Fault

LAUNCH = HERE / 'modules/launch.py'
# Its console script, in Python, and its configuration: what is started by the launcher.
CONSOLE = {
    'nova-conductor': ('nova.cmd.conductor:main', 'nova.conf', 'nova-db.conf', 'nova-limits.conf'),
    'nova-scheduler': ('nova.cmd.scheduler:main', 'nova.conf', 'nova-db.conf', 'nova-limits.conf'),
    'nova-api': ('nova.cmd.api_os_compute:main', 'nova.conf', 'nova-db.conf', 'nova-limits.conf'),
    'neutron-server': ('neutron.cmd.eventlet.server:main', 'neutron.conf'),
    'glance-api': ('glance.cmd.api:main', 'glance-api.conf'),
    'cinder-scheduler': ('cinder.cmd.scheduler:main', 'cinder.conf'),
    'cinder-volume': ('cinder.cmd.volume:main', 'cinder.conf'),
    'cinder-api': ('cinder.cmd.api:main', 'cinder.conf'),
}
UWSGI = {'keystone': (1, 8), 'placement': (2, 4)}  # processes, threads; keystone's cache is that of one process
SWIFT = ('account', 'container', 'object', 'proxy', 'updater')
# Those that answer HTTP: the port, and a path that is answered without a token.
HEALTH = {'keystone': ('keystone', '/v3'), 'placement': ('placement', '/'), 'nova-api': ('nova', '/'), 'glance-api': ('glance', '/versions'),
          'cinder-api': ('cinder', '/'), 'neutron-server': ('neutron', '/'), 'swift-proxy': ('swift', '/healthcheck')}
STORES = ('mariadb', 'epmd', 'rabbitmq')


def names(lab):
    """All of them in the order of starting. Starting is bound by the processor, so what others wait for comes first."""
    computes = [f'nova-compute-{host}' for host in lab.computes]
    return [*STORES, 'keystone', 'placement', 'nova-conductor', 'neutron-server', 'nova-api', *computes, 'nova-scheduler',
            'glance-api', 'cinder-scheduler', 'cinder-volume', 'cinder-api', *(f'swift-{kind}' for kind in SWIFT)]


def uwsgi(lab, name):
    processes, threads = UWSGI[name]
    return [f'{lab.root}/usr/bin/uwsgi-core', '--plugins-dir', f'{lab.root}/usr/lib/uwsgi/plugins', '--plugin', 'python311', '--plugin',
            'http', '--http', f'127.0.0.1:{lab.ports[name]}', '--http-keepalive=75', '--http-auto-chunked', '--socket',
            lab.state / f'run/{name}.sock', '--add-header', 'X-Served-By: uwsgi', '--virtualenv', lab.cache / 'python',
            '--wsgi-file', HERE / f'modules/wsgi_{name}.py', '--master', '--die-on-term', '--need-app', '--enable-threads',
            '--lazy-apps', '--processes', processes, '--threads', threads, '--buffer-size', '65535', '--disable-logging']


def rabbitmq(lab):
    """The broker's command and what it reads from the environment. Erlang's own listeners are kept on loopback too."""
    script = glob.glob(f'{lab.root}/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server')[0]
    return ['sh', script], {
        'HOME': f'{lab.state}/rabbit', 'RABBITMQ_NODENAME': 'rabbit@localhost', 'RABBITMQ_MNESIA_BASE': f'{lab.state}/rabbit/mnesia',
        'RABBITMQ_LOG_BASE': f'{lab.state}/log', 'RABBITMQ_CONFIG_FILE': f'{lab.state}/etc/rabbitmq.conf',
        'RABBITMQ_CONF_ENV_FILE': '/dev/null', 'RABBITMQ_ENABLED_PLUGINS_FILE': f'{lab.state}/rabbit/plugins',
        'RABBITMQ_DIST_PORT': str(lab.ports['erlang']), 'ERL_EPMD_PORT': str(lab.ports['epmd']), 'ERL_EPMD_ADDRESS': '127.0.0.1',
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel inet_dist_use_interface {127,0,0,1} +S 1:1'}


def command(lab, name):
    """(the command of a service, more of its environment)."""
    if name == 'mariadb':
        return [f'{lab.root}/usr/sbin/mariadbd', f'--defaults-file={lab.state}/etc/my.cnf'], {}
    if name == 'epmd':
        return [f'{lab.root}/usr/lib/erlang/bin/epmd', '-address', '127.0.0.1', '-port', lab.ports['epmd']], {}
    if name == 'rabbitmq':
        return rabbitmq(lab)
    if name in UWSGI:
        return uwsgi(lab, name), {}
    if name.startswith('swift-'):
        kind = name.removeprefix('swift-')
        file = 'container' if kind == 'updater' else kind
        return [lab.python, HERE / 'modules/swift_server.py', kind, lab.state / f'etc/swift-{file}.conf'], {}
    if name.startswith('nova-compute-'):
        main, files = 'nova.cmd.compute:main', ('nova.conf', f'{name}.conf')
    else:
        main, *files = CONSOLE[name]
    files = [lab.state / 'etc' / file for file in files]
    options = [f'--config-file={file}' for file in files if file.exists()]
    return [lab.python, LAUNCH, main, name, f'--log-file={lab.state}/log/{name}.log', *options], {}


def start(lab, name):
    if not process.pid_of(lab, name):
        words, more = command(lab, name)
        process.start(lab, name, words, {**lab.environment(), **more})


def answers(lab, name):
    """Whether a service does its work; of those that listen nowhere only that they run is known."""
    try:
        if name in HEALTH:
            service, path = HEALTH[name]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(lab.url(service) + path, timeout=5).close()
        elif name == 'rabbitmq':
            socket.create_connection(('127.0.0.1', lab.ports['amqp']), 1).close()
        elif name == 'nova-conductor':  # nova-compute loses 10 s when it calls it too early
            return 'Starting conductor node' in (lab.state / 'log/nova-conductor.log').read_text(errors='replace')
    except urllib.error.HTTPError as error:
        return error.code in (300, 401)
    except OSError:
        return False
    return True


def wait(lab, *waited, seconds=300):
    until = time.monotonic() + seconds
    for name in waited:
        while not answers(lab, name):
            if not process.pid_of(lab, name):
                raise Fault(f'{name} ended while it started: see {lab.state}/log/{name}.*')
            if time.monotonic() > until:
                raise Fault(f'{name} does not answer: see {lab.state}/log/{name}.*')
            time.sleep(0.1)
