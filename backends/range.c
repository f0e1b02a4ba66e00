/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/range.h"

#include "alloc/text.h"

#include <arpa/inet.h>
#include <string.h>

static int parse(const char *text, long long least, long long most, uint32_t *base, long long *bits) {
    char address[32];
    const char *slash = text ? strchr(text, '/') : NULL;
    struct in_addr in;
    if (!slash || text_format(address, sizeof address, "%.*s", (int)(slash - text), text) < 0 ||
        text_to_int(slash + 1, least, most, bits) < 0 || inet_pton(AF_INET, address, &in) != 1)
        return -1;
    *base = ntohl(in.s_addr);
    return *bits == 32 || (*base & (UINT32_MAX >> *bits)) == 0 ? 0 : -1;
}

int range_check(const char *range) {
    uint32_t base;
    long long bits;
    return parse(range, 8, 24, &base, &bits);
}

int range_any_check(const char *network) {
    uint32_t base;
    long long bits;
    return parse(network, 0, 32, &base, &bits);
}

int range_subnet(const char *range, int64_t tenant_number, char out[16], struct err *e) {
    uint32_t base;
    long long bits;
    if (parse(range, 8, 24, &base, &bits) < 0) return err_set(e, ERR_FAILED, "no network_range");
    int64_t room = INT64_C(1) << (24 - bits);
    if (tenant_number < 0 || tenant_number >= room)
        return err_set(e, ERR_FAILED,
                       "settings.network_range %s has networks for tenants 0 to %lld, not for %lld", range,
                       (long long)room - 1, (long long)tenant_number);
    base += (uint32_t)tenant_number << 8;
    return text_format(out, 16, "%u.%u.%u", base >> 24, base >> 16 & 255, base >> 8 & 255);
}
