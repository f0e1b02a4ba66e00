# SPDX-License-Identifier: Apache-2.0
"""Block storage as NHN documents it, on cinder: /v2/TENANT paths, no microversions, no quotas to ask for. os-extend, which is not
documented, works on volumes that are not attached, as one client was seen to use it."""
import compute
from face import Answer, fault, route

ACTIONS = {'os-volume_upload_image', 'os-extend'}


def volume(told):
    told = {name: value for name, value in told.items() if name != 'links'}
    if 'availability_zone' in told:
        told['availability_zone'] = next(iter(compute.ZONES))
    return told


def volumes(site, request, token, path):
    """A page; volumes_links only where a limit or an offset was given."""
    query = dict(request.query, limit=min(int(request.query.get('limit', 100)), 1000))
    told = site.call('volume', 'GET', f'/v3/{token.tenant}/volumes{path}', token=token, query=query)
    answer = {'volumes': [volume(each) for each in told['volumes']]}
    if 'volumes_links' in told and set(request.query) & {'limit', 'offset'}:
        href = told['volumes_links'][0]['href'].partition('?')[2]
        answer['volumes_links'] = [{'rel': 'next', 'href': f'{site.urls["volume"]}/v2/{token.tenant}/volumes{path}?{href}'}]
    return Answer.of(200, answer)


def one_volume(site, request, token, key):
    told = site.call('volume', 'GET', f'/v3/{token.tenant}/volumes/{key}', token=token)
    return Answer.of(200, {'volume': volume(told['volume'])})


def create(site, request, token):
    wanted = request.json.get('volume', {})
    if wanted.get('availability_zone', 'kr-pub-a') not in compute.ZONES:
        raise fault('badRequest', 400, 'Invalid input received: Availability zone is not available')
    wanted.pop('availability_zone', None)
    answer = site.forward('volume', 'POST', f'/v3/{token.tenant}/volumes', token=token, value={'volume': wanted})
    return Answer.of(202, {'volume': volume(answer.json['volume'])}) if answer.status == 202 else answer


def act(site, request, token, key):
    name = next(iter(request.json), '')
    if name not in ACTIONS:
        raise fault('badRequest', 400, f'There is no such action: {name}')
    return site.forward('volume', 'POST', f'/v3/{token.tenant}/volumes/{key}/action', token=token, raw=request.raw)


def passed(site, request, token, path):
    return site.forward('volume', request.method, f'/v3/{token.tenant}/{path}', token=token, query=request.query, raw=request.raw)


ROUTES = (('GET', '(types)', passed), ('GET', 'volumes(|/detail)', volumes), ('POST', 'volumes', create),
          ('GET', 'volumes/([^/]+)', one_volume), ('DELETE', '(volumes/[^/]+)', passed), ('POST', 'volumes/([^/]+)/action', act),
          ('GET|POST', '(snapshots(?:/detail)?)', passed), ('GET|DELETE', '(snapshots/[^/]+)', passed))


def serve(site, request):
    _, version, tenant, request.path = (request.path + '///').split('/', 3)
    request.path = request.path.rstrip('/')
    token = site.token(request, tenant if version == 'v2' else '')
    function, groups = route(ROUTES, request)
    return function(site, request, token, *groups)
