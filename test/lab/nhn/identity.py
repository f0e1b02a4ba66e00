# SPDX-License-Identifier: Apache-2.0
"""Identity as NHN documents it: POST /v2.0/tokens with tenantId and passwordCredentials, and the catalogue of v2.0. Behind it is
keystone's v3. A tenant is a project of the lab; its first token makes what every NHN project has (tenant.py).
With --identity v3 the root tells of v3 only, v2.0 answers 401 to everybody, and v3 takes a user id without a domain: so one
account was seen to be."""
import calendar
import json
import time

import tenant
from face import Answer, Refusal, route

REGION = 'KR1'
CATALOGUE = (('compute', 'nova', 'compute', '/v2/{}'), ('image', 'glance', 'image', ''), ('identity', 'keystone', 'identity', '/v2.0'),
             ('volumev2', 'cinderv2', 'volume', '/v2/{}'), ('network', 'neutron', 'network', ''),
             ('object-store', 'swift', 'object', '/v1/AUTH_{}'), ('nasv1', 'nas', 'nas', '/v1'))


def refused(message):
    return Refusal(401, {'error': {'code': 401, 'title': 'Unauthorized', 'message': message}})


def versions(site, request):
    values = []
    if site.options.identity == 'v2.0':
        values.append({'id': 'v2.0', 'status': 'stable', 'updated': '2014-04-17T00:00:00Z', 'media-types': [
            {'base': 'application/json', 'type': 'application/vnd.openstack.identity-v2.0+json'}],
            'links': [{'rel': 'self', 'href': f'{site.urls["identity"]}/v2.0/'}]})
    else:
        values.append({'id': 'v3.14', 'status': 'stable', 'updated': '2020-04-07T00:00:00Z', 'media-types': [
            {'base': 'application/json', 'type': 'application/vnd.openstack.identity-v3+json'}],
            'links': [{'rel': 'self', 'href': f'{site.urls["identity"]}/v3/'}]})
    if request.path == '/':
        return Answer.of(300, {'versions': {'values': values}})
    return Answer.of(200, {'version': values[0]})


def endpoints(site, who):
    """(type, name, URL) of each service for a tenant."""
    return [(kind, name, site.urls[service] + path.format(who)) for kind, name, service, path in CATALOGUE]


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], '%Y-%m-%dT%H:%M:%S'))


def issue(site, identity, project):
    """(the id of a token, keystone's answer about it, when it ends)."""
    answer = site.forward('identity', 'POST', '/v3/auth/tokens', value={'auth': {'identity': identity, 'scope': {'project': {'id': project}}}})
    if answer.status != 201:
        raise Refusal(answer.status, json.loads(answer.raw))
    told = answer.json['token']
    tenant.prepare(site, told['project']['id'])
    behind = next(value for name, value in answer.headers.items() if name.lower() == 'x-subject-token')
    key, expires = site.new_token(behind, told['project']['id'], seconds(told['expires_at']))
    return key, told, expires


def tokens(site, request):
    if site.options.identity != 'v2.0':
        raise refused('Could not find user')
    auth = request.json.get('auth', {})
    try:
        project, given = auth['tenantId'], auth['passwordCredentials']
        user = {'name': given['username'], 'domain': {'id': 'default'}, 'password': given['password']}
    except (KeyError, TypeError):
        raise Refusal(400, {'error': {'code': 400, 'title': 'Bad Request', 'message':
                                      'Expecting to find tenantId and passwordCredentials in auth'}}) from None
    key, told, expires = issue(site, {'methods': ['password'], 'password': {'user': user}}, project)
    roles = [{'name': 'project_admin'}]
    where = {'region': REGION}
    access = {
        'token': {'id': key, 'issued_at': told['issued_at'].rstrip('Z'),
                  'expires': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(expires)),
                  'tenant': {'id': project, 'name': f'c_{project[:8]}', 'groupId': project[:16], 'description': '', 'enabled': True,
                             'project_domain': 'NORMAL'}},
        'serviceCatalog': [{'type': kind, 'name': name, 'endpoints': [{**where, 'publicURL': url}], 'endpoints_links': []}
                           for kind, name, url in endpoints(site, project)],
        'user': {'id': told['user']['id'], 'username': told['user']['name'], 'name': told['user']['name'], 'roles': roles,
                 'roles_links': []},
        'metadata': {'roles': ['project_admin'], 'is_admin': 0}}
    return Answer.of(200, {'access': access})


def v3_tokens(site, request):
    if site.options.identity != 'v3':
        raise Refusal(404, {'error': {'code': 404, 'title': 'Not Found', 'message': 'Could not find: /v3/auth/tokens'}})
    auth = request.json.get('auth', {})
    try:
        user, project = auth['identity']['password']['user'], auth['scope']['project']['id']
        identity = {'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': user['password']}}}
    except (KeyError, TypeError):
        raise refused('Could not find user') from None
    key, told, expires = issue(site, identity, project)
    told = {**told, 'expires_at': time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(expires)), 'catalog': [
        {'type': kind, 'name': name, 'id': kind, 'endpoints': [
            {'interface': 'public', 'region': REGION, 'region_id': REGION, 'id': kind, 'url': url}]}
        for kind, name, url in endpoints(site, project)]}
    return Answer.of(201, {'token': told}, **{'X-Subject-Token': key})


ROUTES = (('GET', r'/|/v2\.0/?|/v3/?', versions), ('POST', r'/v2\.0/tokens', tokens), ('POST', '/v3/auth/tokens', v3_tokens))


def serve(site, request):
    function, _ = route(ROUTES, request)
    return function(site, request)
