/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/usb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hsm_number_parse(const char *text, int base, uint32_t *ret)
{
    const char *digits = base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
    size_t length = strspn(text, digits);
    if (length == 0 || text[length] != '\0') {
        return -EINVAL;
    }
    errno = 0;
    unsigned long long value = strtoull(text, NULL, base);
    if (errno != 0 || value > UINT32_MAX) {
        return -ERANGE;
    }
    *ret = (uint32_t)value;
    return 0;
}

enum { VALUE_MAX = 32, PATH_BYTES_MAX = 320 };

/* A device's attribute: one short line. False: none, or not a number. */
static bool read_number(int folder_fd, const char *device, const char *name, int base,
                        uint32_t *ret)
{
    char path[PATH_BYTES_MAX];
    char value[VALUE_MAX + 1];
    (void)snprintf(path, sizeof path, "%s/%s", device, name); /* d_name is 255 bytes at most */
    int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t got = read(fd, value, VALUE_MAX);
    (void)close(fd); /* read only */
    if (got <= 0) {
        return false;
    }
    value[got] = '\0';
    value[strcspn(value, "\n")] = '\0';
    return hsm_number_parse(value, base, ret) == 0;
}

/* The folder also has interfaces and ports, which have no vendor. */
static bool read_token(int folder_fd, const char *device, struct hsm_usb_id wanted,
                       struct hsm_usb_address *ret)
{
    struct hsm_usb_id id;
    return read_number(folder_fd, device, "idVendor", 16, &id.vendor) &&
           read_number(folder_fd, device, "idProduct", 16, &id.product) &&
           hsm_same_id(id, wanted) && read_number(folder_fd, device, "busnum", 10, &ret->bus) &&
           read_number(folder_fd, device, "devnum", 10, &ret->device);
}

static int compare_addresses(const void *left, const void *right)
{
    const struct hsm_usb_address *a = left;
    const struct hsm_usb_address *b = right;
    if (a->bus != b->bus) {
        return a->bus < b->bus ? -1 : 1;
    }
    return a->device == b->device ? 0 : a->device < b->device ? -1 : 1;
}

int hsm_usb_tokens_read(const char *folder, struct hsm_usb_id id, struct hsm_usb_tokens *ret)
{
    struct hsm_usb_tokens tokens = {.count = 0};
    DIR *devices = opendir(folder);
    if (devices == NULL && errno != ENOENT) {
        return -errno;
    }
    while (devices != NULL && tokens.count < HSM_TOKENS_MAX) {
        const struct dirent *device = readdir(devices);
        if (device == NULL) {
            break;
        }
        if (device->d_name[0] != '.' &&
            read_token(dirfd(devices), device->d_name, id, &tokens.token[tokens.count])) {
            tokens.count++;
        }
    }
    if (devices != NULL) {
        (void)closedir(devices); /* read only */
    }
    qsort(tokens.token, tokens.count, sizeof tokens.token[0], compare_addresses);
    *ret = tokens;
    return 0;
}
