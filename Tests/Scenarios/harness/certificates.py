"""A certificate authority and certificates for loopback, made by the openssl command once per test session."""

import ssl
import subprocess


class Certificates:
    """`authority` signs `good` (localhost, 127.0.0.1, ::1) and `elsewhere` (another name); nobody signs `alone` but itself."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = directory / "authority.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=tests' authority", "-keyout", "authority.key", "-out", "authority.pem",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self.sign("good", "DNS:localhost,DNS:backend.test,IP:127.0.0.1,IP:::1")
        self.sign("elsewhere", "DNS:elsewhere.test")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=localhost", "-keyout", "alone.key", "-out", "alone.pem",
                     "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True, timeout=30)

    def sign(self, name, names):
        (self.directory / f"{name}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                     "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def pair(self, name):
        return {"certificate": str(self.directory / f"{name}.pem"), "key": str(self.directory / f"{name}.key")}

    def server_context(self, name, maximum=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        context.set_alpn_protocols(["http/1.1"])
        if maximum:
            context.maximum_version = maximum
        return context

    def client_context(self, version=None, alpn=("http/1.1",)):
        context = ssl.create_default_context(cafile=str(self.authority))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if version:
            context.minimum_version = context.maximum_version = version
        return context
