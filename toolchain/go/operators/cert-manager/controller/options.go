package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
	"github.com/spf13/pflag"
	logsapi "k8s.io/component-base/logs/api/v1"
)

// options are those flags of the official controller that concern what this one does, with upstream's defaults.
type options struct {
	controller.ContextOptions
	logging     logsapi.LoggingConfiguration
	controllers []string
	workers     int

	leaderElect    bool
	leaseNamespace string
	leaseDuration  time.Duration
	renewDeadline  time.Duration
	retryPeriod    time.Duration

	metricsAddress string
	healthzAddress string
}

func parseOptions(args []string) (*options, error) {
	o := &options{logging: *logsapi.NewLoggingConfiguration()}
	fs := pflag.NewFlagSet("cert-manager-controller", pflag.ContinueOnError)
	fs.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file; default is the pod's own service account")
	fs.StringVar(&o.APIServerHost, "api-server-host", "", "address of the API server where it is not that of the kubeconfig")
	fs.Float32Var(&o.KubernetesAPIQPS, "kube-api-qps", 20, "requests per second to the API server")
	fs.IntVar(&o.KubernetesAPIBurst, "kube-api-burst", 50, "requests to the API server that may come at once")
	fs.StringVar(&o.Namespace, "namespace", "", "watch this namespace only; cluster issuers then stay off")
	fs.StringVar(&o.ClusterResourceNamespace, "cluster-resource-namespace", "kube-system", "where the Secrets of cluster issuers lie")
	fs.BoolVar(&o.EnableOwnerRef, "enable-certificate-owner-ref", false, "a Certificate owns its Secret, which goes with it")
	fs.StringSliceVar(&o.CopiedAnnotationPrefixes, "copied-annotation-prefixes",
		[]string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
		"which annotations of a Certificate its requests get")
	fs.StringSliceVar(&o.controllers, "controllers", []string{"*"}, "which to run: * is all, -NAME leaves one out; known are "+strings.Join(knownControllers(), ", "))
	fs.IntVar(&o.workers, "concurrent-workers", 5, "workers of each controller")
	fs.BoolVar(&o.leaderElect, "leader-elect", true, "let one of several replicas work at a time")
	fs.StringVar(&o.leaseNamespace, "leader-election-namespace", "kube-system", "where the lease lies")
	fs.DurationVar(&o.leaseDuration, "leader-election-lease-duration", 60*time.Second, "how long a silent leader is waited for")
	fs.DurationVar(&o.renewDeadline, "leader-election-renew-deadline", 40*time.Second, "how long the leader tries to stay so")
	fs.DurationVar(&o.retryPeriod, "leader-election-retry-period", 15*time.Second, "time between two tries")
	fs.StringVar(&o.metricsAddress, "metrics-listen-address", "0.0.0.0:9402", "address of /metrics")
	fs.StringVar(&o.healthzAddress, "internal-healthz-listen-address", "0.0.0.0:9403", "address of /livez")
	features := map[string]string{}
	fs.StringToStringVar(&features, "feature-gates", nil, "KEY=true or KEY=false; known are "+strings.Join(utilfeature.DefaultFeatureGate.KnownFeatures(), ", "))
	logf.AddFlags(&o.logging, fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	for name, value := range features {
		if err := utilfeature.DefaultMutableFeatureGate.Set(name + "=" + value); err != nil {
			return nil, err
		}
	}
	return o, logf.ValidateAndApply(&o.logging)
}

func knownControllers() []string {
	return slices.Sorted(maps.Keys(controller.Known()))
}

// enabledControllers resolves --controllers; a name this binary does not have is an error, not a silent gap.
func (o *options) enabledControllers() ([]string, error) {
	known := knownControllers()
	enabled := map[string]bool{}
	for _, wish := range o.controllers {
		name := strings.TrimPrefix(wish, "-")
		switch {
		case wish == "*":
			for _, one := range known {
				if _, decided := enabled[one]; !decided {
					enabled[one] = true
				}
			}
		case slices.Contains(known, name):
			enabled[name] = name == wish
		default:
			return nil, fmt.Errorf("--controllers: %q is not built in; known are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(known, func(name string) bool { return !enabled[name] }), nil
}
