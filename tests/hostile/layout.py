# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts of any content, with right digests unless somebody asks for wrong ones.

Shared by the generators of this folder; documents can be dicts, or bytes that are taken as they are.
"""
import hashlib
import io
import json
import os
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def tar_of(files):
    """A plain tar of (name, bytes); a name that ends in "/" is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name.rstrip("/"))
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
                member.mode = 0o755
                tar.addfile(member)
            else:
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


GOOD_TAR = tar_of([("dir/", b""), ("dir/file", b"content\n")])


class Layout:
    """A directory that becomes an image layout: put blobs, then finish with what index.json holds."""

    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)

    def put(self, data):
        digest = sha256(data)
        with open(self.blob(digest), "wb") as f:
            f.write(data)
        return digest

    def blob(self, digest):
        return os.path.join(self.path, "blobs", *digest.split(":", 1))

    def descriptor(self, media_type, document, **more):
        data = encode(document)
        return {"mediaType": media_type, "digest": self.put(data), "size": len(data), **more}

    def config(self, diff_ids, **more):
        return {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            **more,
        }

    def manifest(self, config, layers, **more):
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.descriptor(CONFIG, config),
            "layers": layers,
            **more,
        }

    def image(self, layers):
        """The descriptor of an image; `layers` has (media type, blob, tar)."""
        config = self.config([sha256(tar) for _, _, tar in layers])
        return self.descriptor(
            MANIFEST,
            self.manifest(config, [self.descriptor(kind, blob) for kind, blob, _ in layers]),
        )

    def finish(self, top, version=b'{"imageLayoutVersion":"1.0.0"}', index=None):
        if index is None:
            index = {"schemaVersion": 2, "manifests": [top]}
        for name, document in (("oci-layout", version), ("index.json", index)):
            with open(os.path.join(self.path, name), "wb") as f:
                f.write(encode(document))


def write_image(path, layers):
    """A whole layout of one image; see Layout.image."""
    layout = Layout(path)
    layout.finish(layout.image(layers))
