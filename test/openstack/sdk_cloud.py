# SPDX-License-Identifier: Apache-2.0
"""sdk_cloud.py NAME[:REGION]... : what OpenStack's own client library reads, a line for each in the form of `session cloud`;
":" is the default one."""
import json
import sys
import warnings

warnings.simplefilter('ignore')
import openstack.config  # noqa: E402

KEYS = ['auth_url', 'username', 'user_id', 'password', 'user_domain_id', 'user_domain_name', 'application_credential_id',
        'application_credential_name', 'application_credential_secret', 'project_id', 'project_name', 'project_domain_id',
        'project_domain_name', 'domain_id', 'domain_name']
clouds = openstack.config.OpenStackConfig()
for word in sys.argv[1:]:
    name, _, region = word.partition(':')
    cloud = clouds.get_one(cloud=name or None, **({'region_name': region} if region else {}))
    auth = cloud.config['auth']
    read = {key: auth.get(key) or auth.get(key.replace('project', 'tenant')) for key in KEYS}
    read.update(name=cloud.name, region_name=cloud.region_name or None, cacert=cloud.config.get('cacert'),
                interface=cloud.config['interface'].replace('URL', ''))
    print(json.dumps(read))
