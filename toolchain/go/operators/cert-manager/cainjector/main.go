// The CA injector of cert-manager: writes the CA of a Secret or Certificate into webhooks, API services and CRDs.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	certmanager "github.com/cert-manager/cert-manager/pkg/api"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	logsapi "k8s.io/component-base/logs/api/v1"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	logf.InitLogs()
	defer logf.FlushLogs()
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
		logf.Log.Error(err, "the CA injector ends")
		logf.FlushLogs()
		os.Exit(1)
	}
}

func run(args []string) error {
	logging := *logsapi.NewLoggingConfiguration()
	var kubeconfig, namespace, metricsAddress, leaseNamespace string
	var leaderElect bool
	var leaseDuration, renewDeadline, retryPeriod time.Duration
	var certificates bool
	fs := pflag.NewFlagSet("cert-manager-cainjector", pflag.ContinueOnError)
	fs.StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig file; default is the pod's own service account")
	fs.StringVar(&namespace, "namespace", "", "read Secrets and Certificates of this namespace only")
	fs.StringVar(&metricsAddress, "metrics-listen-address", "0.0.0.0:9402", `address of /metrics; "0" is none`)
	fs.BoolVar(&leaderElect, "leader-elect", true, "let one of several replicas work at a time")
	fs.StringVar(&leaseNamespace, "leader-election-namespace", "kube-system", "where the lease lies")
	fs.DurationVar(&leaseDuration, "leader-election-lease-duration", 60*time.Second, "how long a silent leader is waited for")
	fs.DurationVar(&renewDeadline, "leader-election-renew-deadline", 40*time.Second, "how long the leader tries to stay so")
	fs.DurationVar(&retryPeriod, "leader-election-retry-period", 15*time.Second, "time between two tries")
	fs.BoolVar(&certificates, "enable-certificates-data-source", true, "take CAs from Certificates as well as from Secrets")
	injectable := func(kind, flag string) *bool {
		return fs.Bool(fmt.Sprintf("enable-%s-injectable", flag), true, "write CAs into every "+kind)
	}
	validating := injectable(cainjector.ValidatingWebhookConfigurationName, "validatingwebhookconfigurations")
	mutating := injectable(cainjector.MutatingWebhookConfigurationName, "mutatingwebhookconfigurations")
	definitions := injectable(cainjector.CustomResourceDefinitionName, "customresourcedefinitions")
	services := injectable(cainjector.APIServiceName, "apiservices")
	logf.AddFlags(&logging, fs)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&logging); err != nil {
		return err
	}

	ctrl.SetLogger(logf.Log)
	config, err := restConfig(kubeconfig)
	if err != nil {
		return err
	}
	caches := cache.Options{}
	if namespace != "" {
		caches.DefaultNamespaces = map[string]cache.Config{namespace: {}}
	}
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		scheme.AddToScheme, certmanager.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		if err := add(types); err != nil {
			return err
		}
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        types,
		Cache:                         caches,
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		LeaderElection:                leaderElect,
		LeaderElectionNamespace:       leaseNamespace,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &leaseDuration,
		RenewDeadline:                 &renewDeadline,
		RetryPeriod:                   &retryPeriod,
		Metrics:                       server.Options{BindAddress: metricsAddress},
	})
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	setup := cainjector.SetupOptions{
		Namespace:                    namespace,
		EnableCertificatesDataSource: certificates,
		EnabledReconcilersFor: map[string]bool{
			cainjector.ValidatingWebhookConfigurationName: *validating,
			cainjector.MutatingWebhookConfigurationName:   *mutating,
			cainjector.CustomResourceDefinitionName:       *definitions,
			cainjector.APIServiceName:                     *services,
		},
	}
	if err := cainjector.RegisterAllInjectors(ctx, manager, setup); err != nil {
		return err
	}
	return manager.Start(ctx)
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return rest.AddUserAgent(config, "cainjector"), nil
}
