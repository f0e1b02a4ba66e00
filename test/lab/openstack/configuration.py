# SPDX-License-Identifier: Apache-2.0
"""The configuration of every service: the files of etc/, with the values of this lab put in, go to STATE/etc."""
import json
import os
import pwd
import string

from lab import HERE, PASSWORD, REGION

DATABASES = ('keystone', 'placement', 'nova_api', 'nova', 'nova_cell0', 'glance', 'cinder', 'neutron')
SERVICE_USERS = ('placement', 'nova', 'glance', 'cinder', 'neutron', 'swift')


def account(lab, user):
    """How a service asks keystone for a token of its own."""
    return '\n'.join(f'{name} = {value}' for name, value in (
        ('auth_url', lab.url('keystone')), ('auth_type', 'password'), ('username', user), ('password', PASSWORD),
        ('user_domain_name', 'Default'), ('project_name', 'service'), ('project_domain_name', 'Default'), ('region_name', REGION)))


def values(lab):
    known = {'state': lab.state, 'tree': lab.root, 'socket': lab.socket, 'user': pwd.getpwuid(os.geteuid()).pw_name,
             'password': PASSWORD, 'region': REGION, 'amqp': lab.ports['amqp'], 'keystone': lab.url('keystone'),
             'glance': lab.url('glance')}
    for service, port in lab.ports.items():
        known[f'port_{service}'] = port
    for name in DATABASES:
        known[f'database_{name}'] = f'mysql+pymysql://root@localhost/{name}?unix_socket={lab.socket}&charset=utf8'
    for user in SERVICE_USERS:
        known[f'account_{user}'] = account(lab, user)
    return known


def write(lab, template, name=None, **more):
    text = string.Template((HERE / 'etc' / template).read_text(encoding='utf-8')).substitute(values(lab), **more)
    (lab.state / 'etc' / (name or template)).write_text(text, encoding='utf-8')


def inventory(lab):
    """GPUs as resource classes of every compute node (nova's provider configuration; the file is YAML, and JSON is YAML)."""
    classes = [{f'CUSTOM_GPU_{name}': {'total': count, 'reserved': 0, 'min_unit': 1, 'max_unit': count, 'step_size': 1,
                                       'allocation_ratio': 1.0}} for name, count in lab.settings['gpus'].items()]
    return {'meta': {'schema_version': '1.0'},
            'providers': [{'identification': {'uuid': '$COMPUTE_NODE'}, 'inventories': {'additional': classes},
                           'traits': {'additional': ['CUSTOM_GPU_NODE']}}]}


def write_all(lab):
    for name in ('my.cnf', 'rabbitmq.conf', 'keystone.conf', 'placement.conf', 'nova.conf', 'nova-db.conf', 'glance-api.conf',
                 'cinder.conf', 'neutron.conf', 'swift.conf', 'swift-proxy.conf'):
        write(lab, name)
    for kind in ('account', 'container', 'object'):
        write(lab, 'swift-storage.conf', f'swift-{kind}.conf', kind=kind, port=lab.ports[f'swift_{kind}'])
    for host in lab.computes:
        write(lab, 'nova-compute.conf', f'nova-compute-{host}.conf', host=host)
    providers = lab.state / 'etc/providers'
    providers.mkdir(exist_ok=True)
    (providers / 'gpus.yaml').write_text(json.dumps(inventory(lab), indent=1) + '\n')
    for folder in ('nova', 'glance', 'cinder', 'neutron', 'swift/d1', 'keystone', 'mysql', 'rabbit'):
        (lab.state / folder).mkdir(parents=True, exist_ok=True)
