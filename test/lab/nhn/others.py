# SPDX-License-Identifier: Apache-2.0
"""Images and the object store. The tenant of an object store is another than that of the servers: its project has the tag
"object-store" (tenant.py), and the accounts of all others are closed. Quotas of containers, which NHN does not document, are
neither taken nor told, unless --object-quota says so."""
from face import Answer, Refusal

QUOTA = {'x-container-meta-quota-bytes', 'x-container-meta-quota-count', 'x-account-meta-quota-bytes', 'x-account-quota-bytes'}
OBJECT_ONLY = {'host', 'x-auth-token', 'content-length', 'connection', 'x-storage-policy', 'expect'}


def image(site, request):
    token = site.token(request)
    return site.forward('image', request.method, request.path, token=token, query=request.query, raw=request.raw)


def objects(site, request):
    token = site.token(request)
    account = request.path.split('/')[2] if request.path.count('/') > 1 else ''
    if account != f'AUTH_{token.tenant}' or not site.tenants[token.tenant]:
        raise Refusal(403, {'message': 'Forbidden'})
    hidden = set() if site.options.object_quota else QUOTA
    headers = {name: value for name, value in request.headers.items() if name not in OBJECT_ONLY | hidden}
    answer = site.forward('object', request.method, request.path, token=token, query=request.query, headers=headers, raw=request.raw)
    answer.headers = {name: value for name, value in answer.headers.items() if name.lower() not in hidden}
    if request.method == 'HEAD' and request.path.count('/') == 2 and answer.status == 204:
        return Answer(200, b'', answer.headers)
    return answer
