# SPDX-License-Identifier: Apache-2.0
"""Volumes that cinder counts, names, attaches, grows, copies and deletes, and that hold no bytes.

The driver that cinder has for its own tests cannot make a volume from an image (its "device" is not there: the volume goes to
error) nor extend one; this one can: a copy is made by the driver itself, at once. So all of cinder that a client sees (API,
quotas, states, attachments with nova) is the real one. The volumes whose ids stand in $LAB/refuse-delete, one per line,
refuse to go: they end as error_deleting, until they are taken out of it."""
import os

from cinder.volume import driver


class Driver(driver.VolumeDriver):
    VERSION = '1.0'

    def check_for_setup_error(self):
        pass

    def _update_volume_stats(self):
        self._stats = {'volume_backend_name': self.configuration.safe_get('volume_backend_name'), 'vendor_name': 'test',
                       'driver_version': self.VERSION, 'storage_protocol': 'none', 'multiattach': False,
                       'total_capacity_gb': 'infinite', 'free_capacity_gb': 'infinite', 'online_extend_support': True}

    def create_volume(self, volume):
        pass

    def delete_volume(self, volume):
        try:
            with open(os.path.join(os.environ['LAB'], 'refuse-delete'), encoding='utf-8') as file:
                refused = file.read().split()
        except OSError:
            refused = []
        if volume['id'] in refused:
            raise RuntimeError('the volume refuses to go, as refuse-delete says')

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        return {}, True  # done; nothing is left to be copied

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        image_service.update(context, image_meta['id'], {}, bytes(1024))

    def _nothing(self, *args, **kwargs):
        pass

    create_volume_from_snapshot = create_cloned_volume = extend_volume = create_snapshot = delete_snapshot = _nothing
    ensure_export = create_export = remove_export = terminate_connection = _nothing

    def initialize_connection(self, volume, connector):
        return {'driver_volume_type': 'none', 'data': {'volume_id': volume['id']}}
