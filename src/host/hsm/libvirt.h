/* SPDX-License-Identifier: Apache-2.0 */
/* Running domains of libvirt, and their devices. libvirt has no time limits: every call here may hang, and
 * limit.h ends the program then.
 *
 * Errors   0 or -errno with one line in `words`, libvirt's own, not escaped:
 *          -ENOTCONN    libvirt cannot be reached, or the connection is lost
 *          -ENOENT      no such domain
 *          -EBUSY       not in this state: the device is in use, the domain does not run
 *          -EOPNOTSUPP  never: not allowed, not supported
 *          -EIO         it failed; a later try may succeed
 */
#ifndef HOST_HSM_LIBVIRT_H
#define HOST_HSM_LIBVIRT_H

#include "wire/attributes.h"

#include <stdbool.h>

enum { HSM_WORDS_MAX = 768 };

struct hsm_virt;

MUST_CHECK int hsm_libvirt_open(const char *uri, struct hsm_virt **ret, char words[HSM_WORDS_MAX]);
struct hsm_virt *hsm_libvirt_close(struct hsm_virt *virt);

/* Calls `function` for each running domain, with its live XML. */
typedef void hsm_libvirt_function(void *context, const char *name, const char *xml);
MUST_CHECK int hsm_libvirt_each_running(struct hsm_virt *virt, hsm_libvirt_function *function,
                                        void *context, char words[HSM_WORDS_MAX]);

/* Whether a domain of that name exists; it need not run. */
bool hsm_libvirt_knows(struct hsm_virt *virt, const char *name);

/* Changes the running domain alone, not its configuration. */
MUST_CHECK int hsm_libvirt_attach(struct hsm_virt *virt, const char *name, const char *xml,
                                  char words[HSM_WORDS_MAX]);
MUST_CHECK int hsm_libvirt_detach(struct hsm_virt *virt, const char *name, const char *xml,
                                  char words[HSM_WORDS_MAX]);

#endif
