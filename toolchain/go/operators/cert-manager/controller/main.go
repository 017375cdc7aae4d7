// The controller of cert-manager with the issuers that need nothing from outside the cluster: CA and self-signed.
// The official one also links ACME, Vault and Venafi with the SDKs of several clouds.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

// How long a leader may fail to renew before its liveness probe fails too.
const leaderHealthTimeout = 20 * time.Second

func main() {
	logf.InitLogs()
	defer logf.FlushLogs()
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
		logf.Log.Error(err, "cert-manager ends")
		logf.FlushLogs()
		os.Exit(1)
	}
}

func run(args []string) error {
	options, err := parseOptions(args)
	if err != nil {
		return err
	}
	enabled, err := options.enabledControllers()
	if err != nil {
		return err
	}
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	group, ctx := errgroup.WithContext(logf.NewContext(signals, logf.Log, "controller"))
	factory, err := controller.NewContextFactory(ctx, options.ContextOptions)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	health := healthz.NewServer(leaderHealthTimeout)
	if err := serve(ctx, group, options, shared, health); err != nil {
		return err
	}
	elected := make(chan struct{})
	if options.leaderElect {
		if err := elect(ctx, group, options, factory, health, elected); err != nil {
			return err
		}
	} else {
		close(elected)
	}
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-elected:
			return work(ctx, group, options, enabled, factory, shared)
		}
	})
	err = group.Wait()
	if signals.Err() != nil {
		return nil
	}
	return err
}

// serve answers for metrics and liveness, on replicas that wait to lead as well.
func serve(ctx context.Context, group *errgroup.Group, options *options, shared *controller.Context, health *healthz.Server) error {
	metricsListener, err := net.Listen("tcp", options.metricsAddress)
	if err != nil {
		return fmt.Errorf("--metrics-listen-address: %w", err)
	}
	healthListener, err := net.Listen("tcp", options.healthzAddress)
	if err != nil {
		return fmt.Errorf("--internal-healthz-listen-address: %w", err)
	}
	// Before the server is made, which takes the collectors it finds.
	shared.Metrics.SetupCertificateCollector(shared.SharedInformerFactory.Certmanager().V1().Certificates().Lister())
	metrics := shared.Metrics.NewServer(metricsListener)
	group.Go(func() error { return metrics.Serve(metricsListener) })
	group.Go(func() error {
		<-ctx.Done()
		return metrics.Close()
	})
	group.Go(func() error { return health.Start(ctx, healthListener) })
	return nil
}

func elect(
	ctx context.Context,
	group *errgroup.Group,
	options *options,
	factory *controller.ContextFactory,
	health *healthz.Server,
	elected chan<- struct{},
) error {
	own, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(own.RESTConfig)
	if err != nil {
		return err
	}
	lock, err := resourcelock.New(
		resourcelock.LeasesResourceLock, options.leaseNamespace, "cert-manager-controller",
		client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "-external-cert-manager-controller", EventRecorder: own.Recorder},
	)
	if err != nil {
		return err
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   options.leaseDuration,
		RenewDeadline:   options.renewDeadline,
		RetryPeriod:     options.retryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        health.LeaderHealthzAdaptor,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(elected) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	group.Go(func() error {
		elector.Run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return errors.New("another replica leads now: this one starts anew")
	})
	return nil
}

// work runs the controllers until the context ends.
func work(
	ctx context.Context,
	group *errgroup.Group,
	options *options,
	enabled []string,
	factory *controller.ContextFactory,
	shared *controller.Context,
) error {
	log := logf.FromContext(ctx)
	for _, name := range enabled {
		if name == clusterissuers.ControllerName && options.Namespace != "" {
			continue
		}
		one, err := controller.Known()[name](factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error {
			log.V(logf.InfoLevel).Info("starting controller", "controller", name)
			return one.Run(options.workers, ctx)
		})
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	return nil
}
