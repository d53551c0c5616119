# Tallystick in a container: one static program, no shell, no root, a root file system that may be read-only.
# deploy/image/build.sh makes the same image from a program that is built outside, where nothing can be pulled.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY openapi/clients/go/go.mod openapi/clients/go/
RUN go mod download
COPY . .
# Where the context has no Git, or it is a worktree's, pass all three.
ARG VERSION
ARG COMMIT
ARG DATE
RUN deploy/image/root.sh /image

FROM scratch
COPY --from=build /image/ /
# The user that many images without root have. Kubernetes asks for a number.
USER 65532:65532
ENV TALLY_LISTEN=0.0.0.0:8080 TALLY_MODULE_CACHE_DIR=/var/cache/tallystick
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["/usr/bin/tally", "health"]
ENTRYPOINT ["/usr/bin/tally"]
CMD ["serve"]
