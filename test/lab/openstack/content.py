# SPDX-License-Identifier: Apache-2.0
"""What a lab offers: the catalogue, the services' accounts, limits, sizes, an image, a network. Only what is missing is made."""
import http.client
import json
import time
import urllib.parse

from configuration import SERVICE_USERS
from lab import PASSWORD, REGION, Fault

ENDPOINTS = (('placement', 'placement', ''), ('nova', 'compute', '/v2.1'), ('glance', 'image', ''),
             ('cinder', 'volumev3', '/v3/$(project_id)s'), ('cinder', 'block-storage', '/v3/$(project_id)s'),
             ('swift', 'object-store', '/v1/AUTH_$(project_id)s'), ('neutron', 'network', ''))
UNLIMITED = 1000000000  # in Zed -1 is exceeded by everything
# Unified limits: a name without a registered limit is limited to 0.
LIMITS = {'servers': 10, 'class:VCPU': 20, 'class:MEMORY_MB': 51200, 'class:DISK_GB': 10000, 'server_metadata_items': 128,
          'server_injected_files': 5, 'server_injected_file_content_bytes': 10240, 'server_injected_file_path_bytes': 255,
          'server_key_pairs': 100, 'server_groups': 10, 'server_group_members': 10}


class Admin:
    """The administrator's session, in project admin or another scope."""

    def __init__(self, lab, scope=None):
        self.lab, self.token = lab, None
        scope = scope or {'project': {'name': 'admin', 'domain': {'id': 'default'}}}
        answer, headers = self.call('POST', 'keystone', '/v3/auth/tokens', {'auth': {'scope': scope, 'identity': {
            'methods': ['password'], 'password': {'user': {'name': 'admin', 'domain': {'id': 'default'}, 'password': PASSWORD}}}}}, whole=True)
        self.token = headers['X-Subject-Token']
        self.user, self.project = answer['token']['user']['id'], answer['token'].get('project', {}).get('id')

    def system(self):
        """The same with the scope of the whole system, which reads everybody's limits."""
        return Admin(self.lab, {'system': {'all': True}})

    def call(self, method, service, path, body=None, raw=None, whole=False):
        address = urllib.parse.urlsplit(self.lab.url(service)).netloc
        connection = http.client.HTTPConnection(address, timeout=120)
        headers = {'Content-Type': 'application/octet-stream' if raw else 'application/json', 'Accept': 'application/json'}
        if self.token:
            headers['X-Auth-Token'] = self.token
        connection.request(method, path, raw or (json.dumps(body) if body is not None else None), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise Fault(f'{method} {service}{path}: {answer.status} {text.decode("utf-8", "replace")[:400]}')
        value = json.loads(text) if text else None
        return (value, answer.headers) if whole else value

    def get(self, service, path):
        return self.call('GET', service, path)

    def identity(self, kind, **members):
        """The id of keystone's thing of that name, made where it is not there."""
        for thing in self.get('keystone', f'/v3/{kind}s?name={members["name"]}')[f'{kind}s']:
            return thing['id']
        return self.call('POST', 'keystone', f'/v3/{kind}s', {kind: members})[kind]['id']


def catalogue(admin):
    """Projects, roles, accounts and end points; returns the id of each type's public end point."""
    service_project = admin.identity('project', name='service', domain_id='default')
    roles = {name: admin.identity('role', name=name) for name in ('admin', 'service', 'ResellerAdmin', 'reader')}
    admin.call('PUT', 'keystone', f'/v3/projects/{admin.project}/users/{admin.user}/roles/{roles["ResellerAdmin"]}')
    for name in SERVICE_USERS:
        user = admin.identity('user', name=name, password=PASSWORD, domain_id='default', default_project_id=service_project)
        for role in ('admin', 'service'):
            admin.call('PUT', 'keystone', f'/v3/projects/{service_project}/users/{user}/roles/{roles[role]}')
        if name == 'nova':  # reads everybody's limits
            admin.call('PUT', 'keystone', f'/v3/system/users/{user}/roles/{roles["reader"]}')
    known = {service['type']: service['id'] for service in admin.get('keystone', '/v3/services')['services']}
    public = {}
    for name, kind, path in ENDPOINTS:
        service = known.get(kind) or admin.call('POST', 'keystone', '/v3/services', {'service': {'type': kind, 'name': name}})['service']['id']
        have = {e['interface']: e['id'] for e in admin.get('keystone', f'/v3/endpoints?service_id={service}')['endpoints']}
        for interface in {'public', 'internal', 'admin'} - set(have):
            have[interface] = admin.call('POST', 'keystone', '/v3/endpoints', {'endpoint': {
                'interface': interface, 'region_id': REGION, 'service_id': service, 'url': admin.lab.url(name) + path}})['endpoint']['id']
        public[kind] = have['public']
    return public


def limits(admin):
    """Registered limits of nova, GPUs 0 each; project admin may have everything."""
    service = admin.get('keystone', '/v3/services?type=compute')['services'][0]['id']
    wanted = {**LIMITS, **{f'class:CUSTOM_GPU_{name}': 0 for name in admin.lab.settings['gpus']}}
    where = {'service_id': service, 'region_id': REGION}
    have = {limit['resource_name'] for limit in admin.get('keystone', f'/v3/registered_limits?service_id={service}')['registered_limits']}
    new = [{**where, 'resource_name': name, 'default_limit': limit} for name, limit in wanted.items() if name not in have]
    if new:
        admin.call('POST', 'keystone', '/v3/registered_limits', {'registered_limits': new})
    if not admin.get('keystone', f'/v3/limits?service_id={service}&project_id={admin.project}')['limits']:
        admin.call('POST', 'keystone', '/v3/limits', {'limits': [
            {**where, 'project_id': admin.project, 'resource_name': name, 'resource_limit': UNLIMITED}
            for name in wanted if name == 'servers' or name.startswith('class:')]})


def sizes(admin):
    """All of 512 MB and one processor. m1.tiny has a disk of its own, m1.volume needs a root volume; g.CLASS.N has N GPUs."""
    have = {flavor['name'] for flavor in admin.get('nova', '/v2.1/flavors?is_public=None')['flavors']}
    wanted = {'m1.tiny': (1, {}), 'm1.volume': (0, {})}
    for name in admin.lab.settings['gpus']:
        for count in (1, 2, 4, 8):
            wanted[f'g.{name.lower()}.{count}'] = (1, {f'resources:CUSTOM_GPU_{name}': str(count), 'trait:CUSTOM_GPU_NODE': 'required'})
    for name, (disk, extra) in wanted.items():
        if name not in have:
            admin.call('POST', 'nova', '/v2.1/flavors', {'flavor': {'name': name, 'id': name, 'vcpus': 1, 'ram': 512, 'disk': disk}})
            if extra:
                admin.call('POST', 'nova', f'/v2.1/flavors/{name}/os-extra_specs', {'extra_specs': extra})


def image(admin):
    if not admin.get('glance', '/v2/images?name=tiny')['images']:
        new = admin.call('POST', 'glance', '/v2/images', {'name': 'tiny', 'disk_format': 'raw', 'container_format': 'bare',
                                                          'visibility': 'public', 'min_disk': 0, 'min_ram': 0})
        admin.call('PUT', 'glance', f'/v2/images/{new["id"]}/file', raw=bytes(1024))


def network(admin):
    if not admin.get('neutron', '/v2.0/networks?name=net0')['networks']:
        new = admin.call('POST', 'neutron', '/v2.0/networks', {'network': {'name': 'net0', 'shared': True}})['network']
        admin.call('POST', 'neutron', '/v2.0/subnets', {'subnet': {'network_id': new['id'], 'ip_version': 4, 'cidr': '10.0.0.0/16',
                                                                   'enable_dhcp': False, 'name': 'sub0'}})


def until(what, ready, seconds=300):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise Fault(f'{what}: not after {seconds} s')
        time.sleep(0.2)


def volumes(admin):
    base = f'/v3/{admin.project}'
    up = lambda: {s['binary'] for s in admin.get('cinder', f'{base}/os-services')['services'] if s['state'] == 'up'}
    until('cinder-scheduler and cinder-volume', lambda: up() >= {'cinder-scheduler', 'cinder-volume'})
    if not any(kind['name'] == 'ssd' for kind in admin.get('cinder', f'{base}/types')['volume_types']):
        admin.call('POST', 'cinder', f'{base}/types', {'volume_type': {'name': 'ssd', 'extra_specs': {'volume_backend_name': 'counted'}}})
    admin.call('PUT', 'cinder', f'{base}/os-quota-sets/{admin.project}', {'quota_set': {'volumes': -1, 'gigabytes': -1, 'snapshots': -1}})


def computes(admin):
    """Every compute node is up, and placement knows its GPUs."""
    def ready():
        up = [node for node in admin.get('nova', '/v2.1/os-hypervisors/detail')['hypervisors'] if node['state'] == 'up']
        counted = 0
        for provider in admin.get('placement', '/resource_providers')['resource_providers']:
            have = admin.get('placement', f'/resource_providers/{provider["uuid"]}/inventories')['inventories']
            counted += all(f'CUSTOM_GPU_{name}' in have for name in admin.lab.settings['gpus'])
        return min(len(up), counted) >= len(admin.lab.computes)
    until('compute nodes with their GPUs', ready)
    if not admin.lab.settings['limits']:
        admin.call('PUT', 'nova', f'/v2.1/os-quota-sets/{admin.project}', {'quota_set': {'cores': -1, 'ram': -1, 'instances': -1, 'force': True}})


def fill(admin):
    for part in (sizes, image, network, volumes, computes):
        part(admin)
