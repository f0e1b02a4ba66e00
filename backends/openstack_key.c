/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack.h"

#include "alloc/scope.h"
#include "backends/userdata.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { USER_DATA_MOST = 65535 }; /* in base64: Nova's and NHN's limit */

static const char *rsa_key(const struct backend_operation *op) {
    for (size_t i = 0; i < op->n_ssh_keys; i++)
        if (strncmp(op->ssh_keys[i], "ssh-rsa ", 8) == 0) return op->ssh_keys[i];
    return NULL;
}

/* Letters, digits, "-", "_" and " " are all that Nova takes before 2.92. */
static char *pair_name(const char *token) {
    struct text t = {0};
    text_add(&t, "allot-%s", token);
    for (char *c = t.s; *c; c++)
        if (*c == '.') *c = '-';
    return text_take(&t);
}

int key_make(struct project *p, const struct backend_operation *op, char **name, struct err *e) {
    const char *key = rsa_key(op);
    *name = NULL;
    if (!key) {
        err_set(e, ERR_FAILED, "tenant %s has no RSA key, and servers at this cloud need one", op->tenant);
        return err_hint(e, "allot tenant set %s --key FILE, with a line that begins with ssh-rsa",
                        op->tenant);
    }
    *name = pair_name(op->token);
    if (!op->fresh) key_release(p, *name); /* of a try that was cut off */
    json_t *body scoped_json = json_pack("{s:{s:s, s:s}}", "keypair", "name", *name, "public_key", key);
    if (call_post(p, "compute", "/os-keypairs", body, NULL, e) == 0) return 0;
    if (e->code == ERR_UNKNOWN) e->code = ERR_RETRY; /* of the server nothing happened */
    err_context(e, "the key of tenant %s", op->tenant);
    free(*name);
    *name = NULL;
    return -1;
}

void key_release(struct project *p, const char *name) {
    struct err own = {0};
    struct text path scoped_text = {0};
    text_add(&path, "/os-keypairs/%s", name);
    (void)call_delete(p, "compute", path.s, NULL, &own); /* one that stays does no harm */
}

void key_forget(struct project *p, const char *token) {
    char *name scoped_free = pair_name(token);
    key_release(p, name);
}

int key_user_data(const struct settings *s, const struct backend_operation *op, char **out, struct err *e) {
    struct text data scoped_text = {0};
    *out = NULL;
    if (op->n_ssh_keys == 0) return 0;
    if (userdata_build(op, s->image_user, &data, e) < 0) return -1;
    size_t length = 4 * ((data.length + 2) / 3);
    if (length > USER_DATA_MOST)
        return err_set(e, ERR_FAILED, "the SSH keys of tenant %s are too long for cloud-init: %zu bytes",
                       op->tenant, length);
    *out = mem_alloc(length + 1);
    EVP_EncodeBlock((unsigned char *)*out, (const unsigned char *)data.s, (int)data.length);
    return 0;
}
