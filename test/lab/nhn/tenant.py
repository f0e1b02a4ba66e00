# SPDX-License-Identifier: Apache-2.0
"""What an NHN project has from its first day and a project of the lab has not: a VPC of its own, NHN's quota of block storage, its
names of volume types, and no limit on GPUs."""
from content import LIMITS, UNLIMITED
from lab import REGION

NETWORK = 'Default Network'
VOLUME_TYPES = ('General SSD', 'General HDD')
STORAGE_QUOTA = {'gigabytes': 10240, 'per_volume_gigabytes': 2048, 'volumes': 1000}  # NHN's published defaults, per region
OBJECT_TAG = 'object-store'  # a project with this tag is the tenant of an object store


def prepare(site, project):
    """Once per tenant and proxy; what is there already stays."""
    with site.lock:
        if project in site.tenants:
            return
        admin = site.admin()
        site.tenants[project] = OBJECT_TAG in admin.get('keystone', f'/v3/projects/{project}/tags')['tags']
        lift_limits(admin, project)
        block_storage(admin, project)
        if not admin.get('neutron', f'/v2.0/networks?project_id={project}&name={NETWORK.replace(" ", "%20")}')['networks']:
            made = admin.call('POST', 'neutron', '/v2.0/networks', {'network': {
                'name': NETWORK, 'project_id': project, 'description': '192.168.0.0/16'}})['network']
            admin.call('POST', 'neutron', '/v2.0/subnets', {'subnet': {
                'network_id': made['id'], 'project_id': project, 'name': NETWORK, 'ip_version': 4, 'cidr': '192.168.0.0/24',
                'enable_dhcp': False}})


def lift_limits(admin, project):
    """The proxy counts as NHN does (compute.py); the lab behind it shall not refuse first."""
    if not admin.lab.settings['limits']:
        admin.call('PUT', 'nova', f'/v2.1/os-quota-sets/{project}', {'quota_set': {
            'cores': -1, 'ram': -1, 'instances': -1, 'force': True}})
        return
    system = admin.system()
    service = system.get('keystone', '/v3/services?type=compute')['services'][0]['id']
    have = {limit['resource_name'] for limit in system.get('keystone', f'/v3/limits?project_id={project}')['limits']}
    names = [name for name in LIMITS if name == 'servers' or name.startswith('class:')]
    names += [f'class:CUSTOM_GPU_{name}' for name in admin.lab.settings['gpus']]
    new = [{'service_id': service, 'region_id': REGION, 'project_id': project, 'resource_name': name, 'resource_limit': UNLIMITED}
           for name in names if name not in have]
    if new:
        system.call('POST', 'keystone', '/v3/limits', {'limits': new})


def block_storage(admin, project):
    base = f'/v3/{admin.project}'
    have = {kind['name'] for kind in admin.get('cinder', f'{base}/types')['volume_types']}
    for name in VOLUME_TYPES:
        if name not in have:
            admin.call('POST', 'cinder', f'{base}/types', {'volume_type': {'name': name, 'extra_specs': {
                'volume_backend_name': 'counted'}}})
    defaults = admin.get('cinder', f'{base}/os-quota-sets/{project}/defaults')['quota_set']
    now = admin.get('cinder', f'{base}/os-quota-sets/{project}')['quota_set']
    quota = {name: value for name, value in STORAGE_QUOTA.items() if now[name] == defaults[name]}
    if quota:
        admin.call('PUT', 'cinder', f'{base}/os-quota-sets/{project}', {'quota_set': quota})
