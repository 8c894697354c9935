/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the image from the daemon's directory into one that only this program can enter.
 *
 * It is moved first, so that nobody can put another file in its place; opened there without
 * following links; owned by us, mode 0400; leased, which the kernel grants only while there is no
 * writer and no writable shared mapping (fcntl(2), F_SETLEASE); and then hashed. From there on its
 * content cannot change.
 *
 * Threads  one, with SIGIO blocked: the kernel sends it when a process opens the file for writing.
 * Errors   0, or -1 with the reason in `failure`; the image has then been given back or removed.
 * Owner    the caller ends a taken image with give_back or remove, which close its descriptors.
 */
#ifndef HOST_INSTALL_IMAGE_H
#define HOST_INSTALL_IMAGE_H

#include "host/conf/conf.h"
#include "host/install/failure.h"
#include "wire/attributes.h"
#include "wire/number.h"

#include <limits.h>
#include <sys/types.h>

struct install_image {
    char name[SHA256_HEX + sizeof ".img"];
    char path[PATH_MAX]; /* for the installer */
    int upgrade_fd;      /* [upgrade] directory */
    int staging_fd;      /* "image" in [install] directory, mode 0700 */
    int fd;              /* holds the lease */
    uid_t uid;           /* as found, to give it back */
    gid_t gid;
    mode_t mode;
};

/* It ends when `stop_fd` is readable. */
MUST_CHECK int install_image_take(const struct conf *conf, int directory_fd,
                                  const uint8_t sha256[SHA256_SIZE], int stop_fd,
                                  struct install_image *ret, struct install_failure *failure);

/* Back to the daemon, which need not download it again. */
void install_image_give_back(struct install_image *image);
void install_image_remove(struct install_image *image);

/* Removes an image that is installed already from the daemon's directory. */
void install_image_discard(const struct conf *conf, const uint8_t sha256[SHA256_SIZE]);

#endif
