# The image, built with only docker, podman or buildah:
#
#   docker build --tag csi-livenessprobe .
#
# Add --build-arg COMMIT="$(git rev-parse HEAD)" to have the commit in the output of --version.
#
# The published image is built by `bun run image` from apko.yaml. This one has the same files of ours at the same paths
# and starts in the same way. Its base contains more than glibc, and it has neither SBOM nor signature.
#
# There is no HEALTHCHECK: the sidecar reports on its driver, so a fault of the driver would make the sidecar unhealthy.

# glibc and no shell, for both architectures. Any image with glibc 2.17 or later works. To get the current digest:
# crane digest gcr.io/distroless/base-debian12
ARG BASE=gcr.io/distroless/base-debian12@sha256:9dce90e688a57e59ce473ff7bc4c80bc8fe52d2303b4d99b44f297310bbd2210
# Node.js with npm, which downloads Bun at the version in package.json. Nothing of it gets into the image.
ARG BUILDER=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

# This stage runs on the architecture of the builder: Bun compiles for both. The buildah of Debian 12 does not set
# BUILDPLATFORM: to build for another architecture, add --build-arg BUILDPLATFORM=linux/amd64. A directory can replace
# this stage: --build-context build=DIRECTORY, with our files in DIRECTORY/image.
FROM --platform=${BUILDPLATFORM} ${BUILDER} AS build
WORKDIR /src
COPY . .
RUN npx --yes "bun@$(node -p 'require("./package.json").devDependencies.bun')" install --frozen-lockfile
ARG TARGETARCH
# For `--version`: this stage has no git.
ARG COMMIT=unknown
RUN BUILD_COMMIT="${COMMIT}" node_modules/.bin/bun scripts/image/stage.ts --architecture "${TARGETARCH}" --out /image

# No RUN from here on, so an image for another architecture needs no emulator. The platform is the default one; buildah
# needs to be told, because it keeps the platform of the stage before.
FROM --platform=${TARGETPLATFORM} ${BASE}
COPY --from=build /image/ /
# apko.yaml says what each variable is for.
ENV BUN_GC_TIMER_DISABLE=1 BUN_JSC_numberOfGCMarkers=1 BUN_JSC_useJIT=0 PATH=/usr/bin SSL_CERT_FILE=
WORKDIR /
USER 0
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/livenessprobe"]
