import re
import sys
from glob import glob
from pathlib import Path

from setuptools import Extension, setup

sys.path.insert(0, str(Path(__file__).parent / "python"))
from build_core import LINK, ROOT, Build, BuildExtension

header = ROOT / "Sources/CTSimCNE/include/tsimcne.h"
version = re.search(r'TSIMCNE_VERSION "(.+)"', header.read_text()).group(1)

setup(
    version=version,
    ext_modules=[
        Extension(
            "tsimcne_swift._core",
            sources=[*sorted(glob("python/extension/*.c")), "Sources/CTSimCNE/tables.c"],
            depends=["python/extension/core.h", *glob("Sources/CTSimCNE/include/*.h")],
            include_dirs=["Sources/CTSimCNE/include"],
            libraries=["tsimcne"],
            extra_compile_args=["-std=c11", "-fvisibility=hidden", f"-ffile-prefix-map={ROOT}=."],
            extra_link_args=LINK,
            py_limited_api=True,
        )
    ],
    cmdclass={"build": Build, "build_ext": BuildExtension},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
