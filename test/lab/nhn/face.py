# SPDX-License-Identifier: Apache-2.0
"""What the parts of the NHN face share: requests and answers, tokens, calls of the lab's services."""
import dataclasses
import http.client
import json
import re
import secrets
import threading
import time
import urllib.parse

from content import Admin

SERVICES = ('identity', 'compute', 'volume', 'network', 'image', 'object', 'nas')  # each on a port of its own
BEHIND = {'identity': 'keystone', 'compute': 'nova', 'volume': 'cinder', 'network': 'neutron', 'image': 'glance', 'object': 'swift'}
NOT_PASSED = {'connection', 'transfer-encoding', 'content-length', 'keep-alive', 'server', 'date', 'x-served-by'}


@dataclasses.dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict  # names in small letters
    raw: bytes

    @property
    def json(self):
        try:
            value = json.loads(self.raw)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise fault('badRequest', 400, 'The request body is no JSON object')
        return value


@dataclasses.dataclass
class Answer:
    status: int
    raw: bytes = b''
    headers: dict = dataclasses.field(default_factory=dict)

    @property
    def json(self):
        return json.loads(self.raw)

    @classmethod
    def of(cls, status, value, **headers):
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), {'Content-Type': 'application/json', **headers})


class Refusal(Exception):
    def __init__(self, status, value):
        super().__init__(status)
        self.answer = Answer.of(status, value)


def fault(kind, status, message):
    return Refusal(status, {kind: {'code': status, 'message': message}})


def not_here(request):
    """What NHN does not have, quotas and limits for one."""
    return fault('itemNotFound', 404, f'The resource could not be found: {request.method} {request.path}')


def route(table, request):
    """The function of the first row (method, pattern of the path, function) that fits, with the groups of the pattern."""
    for method, pattern, function in table:
        found = re.fullmatch(pattern, request.path)
        if found and request.method in method.split('|'):
            return function, found.groups()
    raise not_here(request)


@dataclasses.dataclass
class Token:
    behind: str  # keystone's
    tenant: str
    expires: float


class Site:
    def __init__(self, lab, options):
        self.lab, self.options, self.urls = lab, options, {}
        self.tokens, self.tenants, self.lock = {}, {}, threading.Lock()

    def admin(self):
        return Admin(self.lab)

    def forward(self, service, method, path, *, token=None, query=None, headers=None, raw=b'', value=None):
        """The answer of the lab's service."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.lab.url(BEHIND[service])).netloc, timeout=120)
        sent = {'Content-Type': 'application/json', 'Accept': 'application/json', **(headers or {})}
        if token:
            sent['X-Auth-Token'] = token.behind
        query = f'?{urllib.parse.urlencode(query)}' if query else ''
        try:
            connection.request(method, path + query, json.dumps(value) if value is not None else raw or None, sent)
            got = connection.getresponse()
            kept = {name: text for name, text in got.getheaders() if name.lower() not in NOT_PASSED}
            return Answer(got.status, got.read(), kept)
        except OSError:
            raise fault('serviceUnavailable', 503, f'The {service} service is not available') from None
        finally:
            connection.close()

    def call(self, service, method, path, **how):
        """The JSON of an answer; one that is no success is the client's answer too."""
        answer = self.forward(service, method, path, **how)
        if answer.status >= 300:
            raise Refusal(answer.status, json.loads(answer.raw or b'{}'))
        return answer.json

    def new_token(self, behind, tenant, expires):
        """An id as NHN has them, 32 hexadecimal digits; keystone's are longer."""
        key = secrets.token_hex(16)
        self.tokens[key] = Token(behind, tenant, min(expires, time.time() + self.options.token_seconds))
        return key, self.tokens[key].expires

    def token(self, request, tenant=None):
        """The token of a request; with a tenant: it must be that one's."""
        token = self.tokens.get(request.headers.get('x-auth-token', ''))
        if token is None or token.expires <= time.time():
            raise Refusal(401, {'error': {'code': 401, 'title': 'Unauthorized',
                                          'message': 'The request you have made requires authentication.'}})
        if tenant not in (None, token.tenant):
            raise fault('forbidden', 403, 'The tenant in the path is not that of the token')
        return token
