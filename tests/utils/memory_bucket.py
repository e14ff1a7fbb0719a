"""A bucket in memory, with the manners of an object store: files alone, no renaming."""

import io

import fsspec


class Bucket(fsspec.AbstractFileSystem):
    """What etils takes for gs:// once it is registered under the name gcs."""

    protocol = ("gcs", "gs")
    cachable = False
    files: dict[str, bytes] = {}  # noqa: RUF012, shared by all instances, as a bucket is
    log: list[str] = []  # noqa: RUF012, names in the order in which they were written
    refuse_after: int | None = None  # writes until the service refuses

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("gs://").removeprefix("gcs://").rstrip("/")

    def info(self, path, **kwargs):
        name = self._strip_protocol(path)
        if name in self.files:
            return {"name": name, "size": len(self.files[name]), "type": "file"}
        if any(file.startswith(f"{name}/") for file in self.files):
            return {"name": name, "size": 0, "type": "directory"}
        raise FileNotFoundError(path)

    def ls(self, path, detail=True, **kwargs):
        name = self._strip_protocol(path)
        if self.info(name)["type"] == "file":
            found = [name]
        else:
            inside = (f[len(name) + 1 :] for f in self.files if f.startswith(f"{name}/"))
            found = sorted({f"{name}/{rest.split('/')[0]}" for rest in inside})
        return [self.info(f) for f in found] if detail else found

    def _open(self, path, mode="rb", **kwargs):
        name = self._strip_protocol(path)
        if "r" in mode:
            if name not in self.files:
                raise FileNotFoundError(path)
            return io.BytesIO(self.files[name])
        if self.refuse_after is not None and len(self.log) >= self.refuse_after:
            raise RuntimeError("429 too many requests")
        files, log = self.files, self.log

        class Upload(io.BytesIO):
            def close(self):
                if not self.closed:
                    files[name] = self.getvalue()
                    log.append(name)
                super().close()

        return Upload()

    def rm_file(self, path):
        del self.files[self._strip_protocol(path)]

    def rm(self, path, recursive=False, maxdepth=None):
        name = self._strip_protocol(path)
        doomed = [f for f in self.files if f == name or (recursive and f.startswith(f"{name}/"))]
        if not doomed:
            raise FileNotFoundError(path)
        for file in doomed:
            del self.files[file]

    def mkdir(self, path, create_parents=True, **kwargs):
        pass

    def makedirs(self, path, exist_ok=False):
        pass

    def mv(self, *args, **kwargs):
        raise AssertionError("a bucket renames nothing")
