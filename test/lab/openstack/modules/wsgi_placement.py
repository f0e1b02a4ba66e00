# SPDX-License-Identifier: Apache-2.0
from placement.wsgi import init_application

application = init_application()
