# SPDX-License-Identifier: Apache-2.0
"""NAS, which no stock service has: volumes of 300 to 10,000 GB in steps of 100, with interfaces that are built for a while, and a
usage that a test may set (PUT /lab/usage/VOLUME {"usedGb": N}: not NHN's). Every answer has a header that says the same as the
status, and both are to be read. Its state is a JSON file where --nas names one, and so outlives the proxy."""
import json
import os
import time
import uuid

from face import Answer, Refusal, route

PROJECT_GB, VOLUMES = 30000, 100  # NHN's published quota of a project; whether its TB is 1000 GB is not told


def header(code, message=''):
    return {'header': {'isSuccessful': code < 300, 'resultCode': code, 'resultMessage': message or ('SUCCESS' if code < 300 else 'ERROR')}}


def answer(code, **members):
    return Answer.of(code, {**header(code), **members})


def refuse(code, message):
    return Refusal(code, header(code, message))


def stamp():
    return time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime())


class Volumes:
    def __init__(self, site):
        self.site, self.file, self.all = site, site.options.nas, {}
        if self.file and os.path.exists(self.file):
            with open(self.file, encoding='utf-8') as file:
                self.all = json.load(file)

    def save(self):
        if self.file:
            with open(self.file + '.new', 'w', encoding='utf-8') as file:
                json.dump(self.all, file)
            os.replace(self.file + '.new', self.file)

    def of(self, tenant):
        return [volume for volume in self.all.values() if volume['tenantId'] == tenant]

    def one(self, tenant, key):
        if key not in self.all or self.all[key]['tenantId'] != tenant:
            raise refuse(404, f'Volume {key} does not exist')
        return self.all[key]

    def check_size(self, tenant, size, key=None):
        if isinstance(size, bool) or not isinstance(size, int) or not 300 <= size <= 10000 or size % 100:
            raise refuse(400, 'sizeGb is 300 to 10000 in steps of 100')
        if sum(volume['sizeGb'] for volume in self.of(tenant) if volume['id'] != key) + size > PROJECT_GB:
            raise refuse(400, f'The quota of the project, {PROJECT_GB} GB, is exceeded')

    def shown(self, volume):
        """As it is now: an interface is built in --nas-seconds."""
        interfaces = []
        for each in volume['interfaces']:
            ready = time.time() >= each['ready']
            interfaces.append({'id': each['id'], 'subnetId': each['subnetId'], 'tenantId': volume['tenantId'],
                               'status': 'ACTIVE' if ready else 'BUILDING', 'path': f'192.168.0.10:/{volume["name"]}' if ready else None})
        return {**{name: value for name, value in volume.items() if name != 'usedGb'}, 'interfaces': interfaces}


def listed(store, request, tenant):
    limit, page = int(request.query.get('limit', 50)), int(request.query.get('page', 1))
    found = [volume for volume in store.of(tenant) if request.query.get('name', volume['name']) == volume['name']
             and request.query.get('nameContains', '') in volume['name']]
    part = found[(page - 1) * limit:page * limit]
    return answer(200, paging={'limit': limit, 'page': page, 'totalCount': len(found)}, volumes=[store.shown(volume) for volume in part])


def new_interface(store, tenant, subnet):
    if not subnet:
        raise refuse(400, 'subnetId is needed')
    return {'id': str(uuid.uuid4()), 'subnetId': subnet, 'ready': time.time() + store.site.options.nas_seconds}


def create(store, request, tenant):
    wanted = request.json.get('volume', {})
    if not wanted.get('name') or any(volume['name'] == wanted['name'] for volume in store.of(tenant)):
        raise refuse(400, 'A name is needed that no other volume has')
    if wanted.get('mountProtocol', {}).get('protocol', 'nfs') not in ('nfs', 'cifs'):
        raise refuse(400, 'protocol is nfs or cifs')
    store.check_size(tenant, wanted.get('sizeGb'))
    if len(store.of(tenant)) >= VOLUMES:
        raise refuse(400, f'The quota of the project, {VOLUMES} volumes, is exceeded')
    key, now = str(uuid.uuid4()), stamp()
    store.all[key] = {
        'id': key, 'name': wanted['name'], 'description': wanted.get('description'), 'status': 'ACTIVE', 'sizeGb': wanted['sizeGb'],
        'projectId': tenant[:8], 'tenantId': tenant, 'acl': wanted.get('acl', []), 'mirrors': [], 'stationId': None,
        'mountProtocol': {'protocol': 'nfs', 'cifsAuthIds': [], **wanted.get('mountProtocol', {})},
        'encryption': {'enabled': False, **wanted.get('encryption', {})}, 'snapshotPolicy': wanted.get('snapshotPolicy'),
        'interfaces': [new_interface(store, tenant, each.get('subnetId')) for each in wanted.get('interfaces', [])],
        'createdAt': now, 'updatedAt': now, 'usedGb': 0}
    store.save()
    return answer(201, volume=store.shown(store.all[key]))


def one(store, request, tenant, key):
    return answer(200, volume=store.shown(store.one(tenant, key)))


def change(store, request, tenant, key):
    volume, wanted = store.one(tenant, key), request.json.get('volume', {})
    if set(wanted) - {'sizeGb', 'acl', 'description', 'snapshotPolicy', 'mountProtocol'}:
        raise refuse(400, 'sizeGb, acl, description, snapshotPolicy and mountProtocol can be changed')
    if 'sizeGb' in wanted:
        store.check_size(tenant, wanted['sizeGb'], key)
    volume.update({name: value for name, value in wanted.items() if name != 'mountProtocol'}, updatedAt=stamp())
    store.save()
    return answer(200, volume=store.shown(volume))


def remove(store, request, tenant, key):
    store.one(tenant, key)
    del store.all[key]
    store.save()
    return answer(200)


def attach(store, request, tenant, key):
    volume = store.one(tenant, key)
    volume['interfaces'].append(new_interface(store, tenant, request.json.get('interface', {}).get('subnetId')))
    store.save()
    return answer(201, interface=store.shown(volume)['interfaces'][-1])


def detach(store, request, tenant, key, interface):
    volume = store.one(tenant, key)
    kept = [each for each in volume['interfaces'] if each['id'] != interface]
    if len(kept) == len(volume['interfaces']):
        raise refuse(404, f'Interface {interface} does not exist')
    volume['interfaces'] = kept
    store.save()
    return answer(200)


def usage(store, request, tenant, key):
    used = store.one(tenant, key)['usedGb']
    return answer(200, usage={'usedGb': used, 'userDataGb': used, 'snapshotReserveGb': 0, 'snapshotUsedGb': 0,
                              'snapshotUsedGbInReservedSpace': 0, 'snapshotUsedGbInUserSpace': 0})


def set_usage(store, request, tenant, key):
    store.one(tenant, key)['usedGb'] = int(request.json['usedGb'])
    store.save()
    return answer(200)


ROUTES = (('GET', '/v1/volumes', listed), ('POST', '/v1/volumes', create), ('GET', '/v1/volumes/([^/]+)', one),
          ('PATCH', '/v1/volumes/([^/]+)', change), ('DELETE', '/v1/volumes/([^/]+)', remove),
          ('POST', '/v1/volumes/([^/]+)/interfaces', attach), ('DELETE', '/v1/volumes/([^/]+)/interfaces/([^/]+)', detach),
          ('GET', '/v1/volumes/([^/]+)/usage', usage), ('PUT', '/lab/usage/([^/]+)', set_usage))


def serve(site, request):
    try:
        tenant = site.token(request).tenant
        function, groups = route(ROUTES, request)
    except Refusal as refusal:
        raise refuse(refusal.answer.status, 'Unauthorized' if refusal.answer.status == 401 else 'Not found') from None
    with site.lock:
        return function(site.nas, request, tenant, *groups)
