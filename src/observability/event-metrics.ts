import { Counter, Gauge, type Registry } from 'prom-client';

/** What people and other processes are told as it happens. @param openStreams how many there are now */
export const createEventMetrics = (registry: Registry, openStreams: () => number) => {
  new Gauge({
    name: 'event_streams',
    help: 'Open streams of server-sent events',
    registers: [registry],
    collect() {
      this.set(openStreams());
    },
  });
  return {
    published: new Counter({
      name: 'events_published_total',
      help: 'Events of the audit trail that this process passed on to Redis',
      registers: [registry],
    }),
  };
};
