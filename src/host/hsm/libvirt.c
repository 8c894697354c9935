/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/libvirt.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>

struct hsm_virt {
    virConnectPtr connection;
};

/* libvirt would print its errors on stderr. */
static void ignore_error(void *context, virErrorPtr error)
{
    (void)context;
    (void)error; /* read where a call has failed */
}

static int convert_code(int code)
{
    switch (code) {
    case VIR_ERR_NO_DOMAIN:
        return -ENOENT;
    case VIR_ERR_OPERATION_INVALID:
        return -EBUSY;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_INVALID_ARG:
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_OPERATION_UNSUPPORTED:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_CONFIG_UNSUPPORTED:
    case VIR_ERR_XML_ERROR:
        return -EOPNOTSUPP;
    default:
        return -EIO;
    }
}

/* The error of the last call. */
static int last_error(struct hsm_virt *virt, char words[HSM_WORDS_MAX])
{
    int code = virGetLastErrorCode();
    (void)snprintf(words, HSM_WORDS_MAX, "%s", virGetLastErrorMessage());
    return virConnectIsAlive(virt->connection) == 1 ? convert_code(code) : -ENOTCONN;
}

int hsm_libvirt_open(const char *uri, struct hsm_virt **ret, char words[HSM_WORDS_MAX])
{
    struct hsm_virt *virt = calloc(1, sizeof *virt);
    virSetErrorFunc(NULL, ignore_error);
    if (virt == NULL) {
        (void)snprintf(words, HSM_WORDS_MAX, "out of memory");
        return -ENOTCONN;
    }
    virt->connection = virConnectOpen(uri);
    if (virt->connection == NULL) {
        (void)snprintf(words, HSM_WORDS_MAX, "%s", virGetLastErrorMessage());
        free(virt);
        return -ENOTCONN;
    }
    *ret = virt;
    return 0;
}

struct hsm_virt *hsm_libvirt_close(struct hsm_virt *virt)
{
    if (virt != NULL) {
        (void)virConnectClose(virt->connection); /* it ends with the program anyway */
        free(virt);
    }
    return NULL;
}

/* A domain that has ended since it was listed is no error. */
static int pass_domain(struct hsm_virt *virt, virDomainPtr domain, hsm_libvirt_function *function,
                       void *context, char words[HSM_WORDS_MAX])
{
    char *xml = virDomainGetXMLDesc(domain, 0); /* of a running domain: the live one */
    if (xml == NULL) {
        int error = last_error(virt, words);
        return error == -ENOENT ? 0 : error;
    }
    function(context, virDomainGetName(domain), xml);
    free(xml);
    return 0;
}

int hsm_libvirt_each_running(struct hsm_virt *virt, hsm_libvirt_function *function, void *context,
                             char words[HSM_WORDS_MAX])
{
    virDomainPtr *domains = NULL;
    int error = 0;
    int count =
        virConnectListAllDomains(virt->connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (count < 0) {
        return last_error(virt, words);
    }
    for (int i = 0; i < count; i++) {
        if (error == 0) {
            error = pass_domain(virt, domains[i], function, context, words);
        }
        (void)virDomainFree(domains[i]); /* a local reference */
    }
    free(domains);
    return error;
}

bool hsm_libvirt_knows(struct hsm_virt *virt, const char *name)
{
    virDomainPtr domain = virDomainLookupByName(virt->connection, name);
    if (domain == NULL) {
        return false;
    }
    (void)virDomainFree(domain); /* a local reference */
    return true;
}

static int change_device(struct hsm_virt *virt, const char *name, const char *xml,
                         int (*call)(virDomainPtr domain, const char *xml, unsigned flags),
                         char words[HSM_WORDS_MAX])
{
    virDomainPtr domain = virDomainLookupByName(virt->connection, name);
    if (domain == NULL) {
        return last_error(virt, words);
    }
    int error = call(domain, xml, VIR_DOMAIN_AFFECT_LIVE) == 0 ? 0 : last_error(virt, words);
    (void)virDomainFree(domain); /* a local reference */
    return error;
}

int hsm_libvirt_attach(struct hsm_virt *virt, const char *name, const char *xml,
                       char words[HSM_WORDS_MAX])
{
    return change_device(virt, name, xml, virDomainAttachDeviceFlags, words);
}

int hsm_libvirt_detach(struct hsm_virt *virt, const char *name, const char *xml,
                       char words[HSM_WORDS_MAX])
{
    return change_device(virt, name, xml, virDomainDetachDeviceFlags, words);
}
