# SPDX-License-Identifier: Apache-2.0
"""Compute as NHN documents it, on nova: /v2/TENANT paths and no microversions, sizes by name only, key_name and
block_device_mapping_v2 required, at most 10 servers in one call, lists without links, no quotas, limits or usage to ask for.
What the project has of processors and memory is counted here by NHN's sizes, because the lab's are small; the refusal is in
nova's words, which is what NHN sends."""
import uuid

from face import Answer, fault, route

ZONES = {'kr-pub-a': 'nova'}
# NHN's name: the lab's size, processors, memory in MB, where the root disk may be (NHN's pages differ for GPUs)
SIZES = {f'g2.v100.c{8 * n}m{90 * n}': (f'g.v100.{n}', 8 * n, 92160 * n, ('local', 'volume')) for n in (1, 2, 4, 8)}
SIZES |= {f'g2.t4.c{4 * n}m{32 * n}': (f'g.t4.{n}', 4 * n, 32768 * n, ('local', 'volume')) for n in (1, 2, 4, 8)}
SIZES |= {'g4.c92m1800': ('g.a100.8', 92, 1843200, ('local', 'volume')), 'm2.c1m2': ('m1.volume', 1, 2048, ('volume',)),
          'u2.c1m1': ('m1.tiny', 1, 1024, ('local',))}
IDS = {name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in SIZES}
BY_ID = {key: name for name, key in IDS.items()}
BY_LAB = {size[0]: name for name, size in SIZES.items()}
ACTIONS = {'os-start', 'os-stop', 'reboot', 'shelve', 'unshelve', 'resize', 'createImage', 'addSecurityGroup', 'removeSecurityGroup'}
LEAST_ROOT = 10  # GB


def bad(message):
    return fault('badRequest', 400, message)


def flavor(site, tenant, name, detail):
    url = f'{site.urls["compute"]}/v2/{tenant}/flavors/{IDS[name]}'
    told = {'id': IDS[name], 'name': name, 'links': [{'rel': 'self', 'href': url}]}
    if detail:
        _, vcpus, ram, _ = SIZES[name]
        told |= {'vcpus': vcpus, 'ram': ram, 'disk': 0, 'swap': '', 'rxtx_factor': 1.0,
                 'extra_specs': {'flavor_type': 'general' if name[0] in 'mu' else 'gpu'},
                 'OS-FLV-DISABLED:disabled': False, 'OS-FLV-EXT-DATA:ephemeral': 0, 'os-flavor-access:is_public': True}
    return told


def flavors(site, request, token, path):
    least = int(request.query.get('minRam', 0))
    return Answer.of(200, {'flavors': [flavor(site, token.tenant, name, path == '/detail') for name, size in SIZES.items()
                                       if size[2] >= least]})


def one_flavor(site, request, token, key):
    if key not in BY_ID:
        raise fault('itemNotFound', 404, f'Flavor {key} could not be found.')
    return Answer.of(200, {'flavor': flavor(site, token.tenant, BY_ID[key], True)})


def zones(site, request, token):
    return Answer.of(200, {'availabilityZoneInfo': [{'zoneName': name, 'zoneState': {'available': True}, 'hosts': None} for name in ZONES]})


def server(site, token, told):
    """A server of nova in NHN's words."""
    told = {name: value for name, value in told.items() if name != 'links' and not name.startswith('OS-EXT-SRV-ATTR')}
    if 'flavor' in told:
        told['flavor'] = {'id': IDS.get(BY_LAB.get(told['flavor']['id']), told['flavor']['id'])}
        told['OS-EXT-AZ:availability_zone'] = next((z for z, lab in ZONES.items() if lab == told['OS-EXT-AZ:availability_zone']), '')
        told |= {'NHN-EXT-ATTR:ephemeral_disk_size': 0, 'NHN-EXT-ATTR:protect': False}
    told['links'] = [{'rel': 'self', 'href': f'{site.urls["compute"]}/v2/{token.tenant}/servers/{told["id"]}'}]
    return told


def servers(site, request, token, path):
    query = dict(request.query, limit=min(int(request.query.get('limit', 100)), 1000))
    if query.get('flavor') in BY_ID:
        query['flavor'] = SIZES[BY_ID[query['flavor']]][0]
    told = site.call('compute', 'GET', f'/v2.1/servers{path}', token=token, query=query)
    return Answer.of(200, {'servers': [server(site, token, each) for each in told['servers']]})  # no servers_links


def one_server(site, request, token, key):
    told = site.call('compute', 'GET', f'/v2.1/servers/{key}', token=token)
    return Answer.of(200, {'server': server(site, token, told['server'])})


def within_quota(site, token, size, count):
    """Nova's check and words, with the sizes of NHN."""
    held = [SIZES[BY_LAB[each['flavor']['id']]] for each in
            site.call('compute', 'GET', '/v2.1/servers/detail', token=token)['servers'] if each['flavor']['id'] in BY_LAB]
    over = [(name, size[at] * count, sum(each[at] for each in held), limit)
            for name, at, limit in (('cores', 1, site.options.cores), ('ram', 2, site.options.ram))
            if sum(each[at] for each in held) + size[at] * count > limit]
    if over:
        names, wanted, used, limits = (', '.join(str(value) for value in column) for column in zip(*over))
        raise fault('forbidden', 403, f'Quota exceeded for {names}: Requested {wanted}, but already used {used} of {limits} {names}')


def disks(name, wanted, count):
    """The disks that a server asks for, in nova's words (which has volume_type from 2.67 on)."""
    mapping = wanted.get('block_device_mapping_v2')
    if not isinstance(mapping, list) or not mapping:
        raise bad("Invalid input for field/attribute server. 'block_device_mapping_v2' is a required property")
    for disk in mapping:
        source, root = disk.get('source_type'), disk.get('boot_index') == 0
        if source not in ('image', 'blank', 'volume', 'snapshot') or (root and source == 'blank'):
            raise bad(f'Block Device Mapping is Invalid: source_type {source}')
        if source in ('volume', 'snapshot') and count > 1:
            raise bad('min_count and max_count must be 1 when a server starts from a volume')
        if root and disk.get('destination_type') not in SIZES[name][3]:
            raise bad(f'Block Device Mapping is Invalid: destination_type of the root disk of {name} is {" or ".join(SIZES[name][3])}')
        if root and source == 'image' and disk['destination_type'] == 'volume' and disk.get('volume_size', 0) < LEAST_ROOT:
            raise bad(f'Block Device Mapping is Invalid: volume_size is at least {LEAST_ROOT}')
    if not any(disk.get('boot_index') == 0 for disk in mapping):
        raise bad('Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.')
    return [{name: value for name, value in disk.items() if not (name in ('volume_size', 'volume_type') and disk['destination_type'] == 'local')}
            for disk in mapping]


def networks(site, token, wanted):
    """Exactly one of uuid, subnet, port and fixed_ip each; nova knows no subnet."""
    given = wanted.get('networks')
    if not isinstance(given, list) or not given:
        raise bad("Invalid input for field/attribute server. 'networks' is a required property")
    for each in given:
        if len(set(each) & {'uuid', 'subnet', 'port', 'fixed_ip'}) != 1:
            raise bad('Invalid input for field/attribute networks: exactly one of uuid, subnet, port, fixed_ip')
        if 'subnet' in each:
            found = site.call('network', 'GET', f'/v2.0/subnets/{each.pop("subnet")}', token=token)['subnet']
            each['uuid'] = found['network_id']
    return given


def create(site, request, token):
    body = request.json
    wanted = body.get('server')
    if not isinstance(wanted, dict):
        raise bad("Invalid input for field/attribute server. 'server' is a required property")
    for name in ('name', 'flavorRef', 'key_name'):
        if not wanted.get(name):
            raise bad(f"Invalid input for field/attribute server. '{name}' is a required property")
    size = BY_ID.get(wanted['flavorRef'])
    if not size:
        raise bad(f'Flavor {wanted["flavorRef"]} could not be found.')
    count = int(wanted.get('max_count', wanted.get('min_count', 1)))
    if count > 10:
        raise bad('Invalid input for field/attribute max_count: at most 10')
    if wanted.get('availability_zone', 'kr-pub-a') not in ZONES:
        raise bad('The requested availability zone is not available')
    changed = dict(wanted, flavorRef=SIZES[size][0], networks=networks(site, token, wanted),
                   block_device_mapping_v2=disks(size, wanted, count))
    changed.pop('availability_zone', None)
    root = next(disk for disk in changed['block_device_mapping_v2'] if disk.get('boot_index') == 0)
    if root['destination_type'] == 'volume':
        changed.pop('imageRef', None)
    within_quota(site, token, SIZES[size], count)
    answer = site.forward('compute', 'POST', '/v2.1/servers', token=token, value=dict(body, server=changed),
                          headers={'OpenStack-API-Version': 'compute 2.67'})
    if answer.status == 202 and 'server' in answer.json:
        told = answer.json['server']
        return Answer.of(202, {'server': {**server(site, token, {'id': told['id']}), 'security_groups': told.get('security_groups', [])}})
    return answer


def act(site, request, token, key):
    name = next(iter(request.json), '')
    if name not in ACTIONS:
        raise bad(f'There is no such action: {name}')
    if name in ('shelve', 'resize'):
        kind = BY_LAB.get(site.call('compute', 'GET', f'/v2.1/servers/{key}', token=token)['server']['flavor']['id'], '')
        if kind.startswith('g'):
            raise bad(f'{name} is not for GPU instances')
    return site.forward('compute', 'POST', f'/v2.1/servers/{key}/action', token=token, raw=request.raw)


def rename(site, request, token, key):
    if set(request.json.get('server', {})) != {'name'}:
        raise bad('Only the name of a server can be changed')
    return site.forward('compute', 'PUT', f'/v2.1/servers/{key}', token=token, raw=request.raw)


def new_key(site, request, token):
    given = request.json.get('keypair', {}).get('public_key', '')
    if given and not given.startswith('ssh-rsa '):
        raise bad('Keypair data is invalid: failed to generate fingerprint')
    return site.forward('compute', 'POST', '/v2.1/os-keypairs', token=token, raw=request.raw)


def passed(site, request, token, path):
    return site.forward('compute', request.method, f'/v2.1/{path}', token=token, query=request.query, raw=request.raw)


UUID = '([^/]+)'
ROUTES = (('GET', 'flavors(|/detail)', flavors), ('GET', f'flavors/{UUID}', one_flavor), ('GET', 'os-availability-zone', zones),
          ('POST', 'os-keypairs', new_key), ('GET|DELETE', f'(os-keypairs(?:/{UUID[1:-1]})?)', passed),
          ('GET', 'servers(|/detail)', servers), ('POST', 'servers', create), ('GET', f'servers/{UUID}', one_server),
          ('PUT', f'servers/{UUID}', rename), ('POST', f'servers/{UUID}/action', act),
          ('DELETE', '(servers/[^/]+)', passed), ('GET|POST|DELETE', '(servers/[^/]+/os-volume_attachments(?:/[^/]+)?)', passed),
          ('GET|POST|DELETE', '(servers/[^/]+/metadata(?:/[^/]+)?)', passed),
          ('GET|POST|DELETE', '(os-server-groups(?:/[^/]+)?)', passed))


def serve(site, request):
    for name in ('openstack-api-version', 'x-openstack-nova-api-version'):
        if request.headers.get(name, '').split(' ')[-1] not in ('', '2.1'):
            raise fault('computeFault', 406, f'Version {request.headers[name].split(" ")[-1]} is not supported by the API. '
                        'Minimum is 2.1 and maximum is 2.1.')
    _, version, tenant, request.path = (request.path + '///').split('/', 3)
    request.path = request.path.rstrip('/')
    token = site.token(request, tenant if version == 'v2' else '')
    function, groups = route(ROUTES, request)
    try:
        return function(site, request, token, *groups)
    except (AttributeError, TypeError, ValueError):
        raise bad('Malformed request') from None
