/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/address.h"

#include "wire/number.h"

#include <assert.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static_assert(ADDRESS_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1,
              "a path and its NUL fill sun_path");
static_assert(sizeof "unix:" + ADDRESS_PATH_MAX <= ADDRESS_TEXT_MAX, "the longest address fits");

enum { DIGITS_MAX = 10 }; /* of a 32-bit number */

static const char *const forms[] = {
    [ADDRESS_CONNECT] = "expected vsock:CID:PORT or unix:PATH",
    [ADDRESS_LISTEN] = "expected vsock:CID:PORT, vsock:any:PORT or unix:PATH",
};

static int refuse_address(const char **why, const char *text)
{
    *why = text;
    return -EINVAL;
}

static int parse_unix(const char *path, enum address_use use, struct address *ret, const char **why)
{
    size_t length = strlen(path);
    if (length == 0) {
        return refuse_address(why, "the path is empty; expected unix:PATH");
    }
    if (length > ADDRESS_PATH_MAX) {
        return refuse_address(why,
                              "the path is too long; a Unix socket's path has at most 107 bytes");
    }
    if (use == ADDRESS_LISTEN && path[0] != '/') {
        return refuse_address(why, "the path is not absolute; expected unix:/PATH");
    }
    *ret = (struct address){.family = AF_UNIX};
    memcpy(ret->path, path, length + 1);
    return 0;
}

static int parse_cid(const char *text, enum address_use use, uint32_t *ret, const char **why)
{
    uint64_t cid = 0;
    if (strcmp(text, "any") == 0) {
        if (use != ADDRESS_LISTEN) {
            return refuse_address(
                why, "the CID \"any\" is for a listener; expected a number from 0 to 4294967294");
        }
        *ret = VMADDR_CID_ANY;
        return 0;
    }
    if (decimal_parse(text, 0, UINT32_MAX - 1, &cid) < 0) {
        return refuse_address(why, use == ADDRESS_LISTEN
                                       ? "the CID is not a number from 0 to 4294967294, nor \"any\""
                                       : "the CID is not a number from 0 to 4294967294");
    }
    *ret = (uint32_t)cid;
    return 0;
}

static int parse_vsock(const char *text, enum address_use use, struct address *ret,
                       const char **why)
{
    char cid_text[DIGITS_MAX + 1] = "";
    uint32_t cid = 0;
    uint64_t port = 0;
    const char *colon = strchr(text, ':');
    if (colon == NULL) {
        return refuse_address(why, forms[use]);
    }
    if ((size_t)(colon - text) <= DIGITS_MAX) {
        memcpy(cid_text, text, (size_t)(colon - text));
    }
    if (parse_cid(cid_text, use, &cid, why) < 0) {
        return -EINVAL;
    }
    if (decimal_parse(colon + 1, 1, UINT32_MAX - 1, &port) < 0) {
        return refuse_address(why, "the port is not a number from 1 to 4294967294");
    }
    *ret = (struct address){.family = AF_VSOCK, .cid = cid, .port = (uint32_t)port};
    return 0;
}

int address_parse(const char *text, enum address_use use, struct address *ret, const char **why)
{
    if (strncmp(text, "unix:", strlen("unix:")) == 0) {
        return parse_unix(text + strlen("unix:"), use, ret, why);
    }
    if (strncmp(text, "vsock:", strlen("vsock:")) == 0) {
        return parse_vsock(text + strlen("vsock:"), use, ret, why);
    }
    return refuse_address(why, forms[use]);
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    if (address->family == AF_UNIX) {
        (void)snprintf(out, ADDRESS_TEXT_MAX, "unix:%s", address->path);
    } else if (address->cid == VMADDR_CID_ANY) {
        (void)snprintf(out, ADDRESS_TEXT_MAX, "vsock:any:%u", address->port);
    } else {
        (void)snprintf(out, ADDRESS_TEXT_MAX, "vsock:%u:%u", address->cid, address->port);
    }
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){0};
    if (address->family == AF_UNIX) {
        struct sockaddr_un local = {.sun_family = AF_UNIX};
        memcpy(local.sun_path, address->path, sizeof address->path);
        memcpy(ret, &local, sizeof local);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address->path) + 1);
    }
    struct sockaddr_vm vsock = {
        .svm_family = AF_VSOCK, .svm_cid = address->cid, .svm_port = address->port};
    memcpy(ret, &vsock, sizeof vsock);
    return (socklen_t)sizeof vsock;
}
