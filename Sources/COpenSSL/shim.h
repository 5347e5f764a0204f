// OpenSSL 3. The functions below wrap macros, which Swift does not import.
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
