# SPDX-License-Identifier: Apache-2.0
"""swift_server {proxy|account|container|object|updater} CONFIGURATION : what swift's own scripts do, with swift.conf beside the
CONFIGURATION instead of in /etc/swift."""
import os
import sys
import time

from swift.common import utils

kind, configuration = sys.argv[1:3]
utils.set_swift_dir(os.path.dirname(configuration))
if kind == 'updater':
    # The daemon forks for every sweep (0.7 s of work each); here it sweeps each second in one process.
    from swift.container.updater import ContainerUpdater
    updater = ContainerUpdater(utils.readconf(configuration, 'container-updater', log_name='container-updater'))
    while True:
        updater.run_once()
        time.sleep(1)
from swift.common.wsgi import run_wsgi
conf, options = utils.parse_options(test_args=[configuration])
if kind == 'object':
    from swift.obj import server
    options['global_conf_callback'] = server.global_conf_callback
sys.exit(run_wsgi(conf, f'{kind}-server', **options))
