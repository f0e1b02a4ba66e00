# SPDX-License-Identifier: Apache-2.0
"""sdk_cloud.py [NAME [REGION]] : what OpenStack's own client library reads, in the form of `session cloud`."""
import json
import sys
import warnings

warnings.simplefilter('ignore')
import openstack.config  # noqa: E402

name, region = (sys.argv[1:] + ['', ''])[:2]
cloud = openstack.config.OpenStackConfig().get_one(cloud=name or None, **({'region_name': region} if region else {}))
auth = cloud.config['auth']
keys = ['auth_url', 'username', 'user_id', 'password', 'user_domain_id', 'user_domain_name', 'application_credential_id',
        'application_credential_name', 'application_credential_secret', 'project_id', 'project_name', 'project_domain_id',
        'project_domain_name', 'domain_id', 'domain_name']
read = {key: auth.get(key) or auth.get(key.replace('project', 'tenant')) for key in keys}
read.update(name=cloud.name, region_name=cloud.region_name or None, interface=cloud.config['interface'].replace('URL', ''),
            cacert=cloud.config.get('cacert'))
print(json.dumps(read))
