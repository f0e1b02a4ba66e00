# SPDX-License-Identifier: Apache-2.0
"""Networks in NHN's words on neutron: a VPC is a network (its range stands in the network's description, neutron has none), a
vpcsubnet a subnet. Security groups and ports are neutron's own, networks and subnets can be read only."""
import ipaddress

from face import Answer, Refusal, route


def bad(message):
    return Refusal(400, {'NeutronError': {'type': 'BadRequest', 'message': message, 'detail': ''}})


def vpc(told):
    return {'id': told['id'], 'name': told['name'], 'cidrv4': told['description'] or None, 'state': 'available',
            'tenant_id': told['tenant_id'], 'shared': told['shared'], 'router:external': told.get('router:external', False),
            'create_time': told['created_at'].rstrip('Z').replace('T', ' ') if 'created_at' in told else None}


def subnet(told):
    return {'id': told['id'], 'name': told['name'], 'vpc_id': told['network_id'], 'cidr': told['cidr'], 'state': 'available',
            'tenant_id': told['tenant_id'], 'gateway': told['gateway_ip']}


# NHN's word: neutron's, and how one becomes the other
KINDS = {'vpc': ('network', vpc), 'vpcsubnet': ('subnet', subnet)}


def listed(site, request, token, kind):
    there, translate = KINDS[kind]
    query = {{'vpc_id': 'network_id'}.get(name, name): value for name, value in request.query.items()}
    told = site.call('network', 'GET', f'/v2.0/{there}s', token=token, query=query)
    return Answer.of(200, {f'{kind}s': [translate(each) for each in told[f'{there}s']]})


def one(site, request, token, kind, key):
    there, translate = KINDS[kind]
    return Answer.of(200, {kind: translate(site.call('network', 'GET', f'/v2.0/{there}s/{key}', token=token)[there])})


def remove(site, request, token, kind, key):
    return site.forward('network', 'DELETE', f'/v2.0/{KINDS[kind][0]}s/{key}', token=token)


def network_of(text):
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise bad(f'Invalid input for cidr: {text}') from None


def create_vpc(site, request, token):
    wanted = request.json.get('vpc', {})
    body = {'network': {'name': wanted.get('name', ''), 'description': str(network_of(wanted.get('cidrv4')))}}
    return Answer.of(201, {'vpc': vpc(site.call('network', 'POST', '/v2.0/networks', token=token, value=body)['network'])})


def create_subnet(site, request, token):
    wanted = request.json.get('vpcsubnet', {})
    around = site.call('network', 'GET', f'/v2.0/networks/{wanted.get("vpc_id")}', token=token)['network']['description']
    if around and not network_of(wanted.get('cidr')).subnet_of(network_of(around)):
        raise bad(f'{wanted["cidr"]} is not within the VPC, {around}')
    body = {'subnet': {'network_id': wanted['vpc_id'], 'cidr': wanted.get('cidr'), 'name': wanted.get('name', ''), 'ip_version': 4,
                       'enable_dhcp': False}}
    return Answer.of(201, {'vpcsubnet': subnet(site.call('network', 'POST', '/v2.0/subnets', token=token, value=body)['subnet'])})


def passed(site, request, token, path):
    return site.forward('network', request.method, f'/v2.0/{path}', token=token, query=request.query, raw=request.raw)


ROUTES = (('GET', '(vpc|vpcsubnet)s', listed), ('GET', '(vpc|vpcsubnet)s/([^/]+)', one), ('DELETE', '(vpc|vpcsubnet)s/([^/]+)', remove),
          ('POST', 'vpcs', create_vpc), ('POST', 'vpcsubnets', create_subnet), ('GET', '((?:networks|subnets)(?:/[^/]+)?)', passed),
          ('GET|POST|PUT|DELETE', '((?:ports|security-groups|security-group-rules)(?:/[^/]+)?)', passed))


def serve(site, request):
    token = site.token(request)
    request.path = request.path.removeprefix('/v2.0/').rstrip('/')
    function, groups = route(ROUTES, request)
    return function(site, request, token, *groups)
