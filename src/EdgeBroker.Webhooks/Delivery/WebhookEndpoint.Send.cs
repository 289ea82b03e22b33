namespace EdgeBroker.Webhooks.Delivery;

// The task that sends.
internal sealed partial class WebhookEndpoint
{
    private long _droppedTold;

    private async Task RunAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            // Before the question whether it drains: an end that comes behind that question ends the wait.
            CancellationToken interrupt = InterruptToken();
            bool isDraining = _isDraining;
            if (!isDraining) await FilledAsync(interrupt).ConfigureAwait(false);
            List<QueuedEvent> events = _queue.Take(Options);
            if (events.Count == 0 && isDraining) return;
            if (events.Count == 0) continue;
            try
            {
                if (!await DeliverAsync(events).ConfigureAwait(false)) return;
            }
            catch (Exception exception)
            {
                // A bug over one event must not keep the others.
                _queue.Settle(events, WebhookDropCause.Rejected);
                _environment.Fault(exception, $"telling the webhook {Options.Name}");
            }
        }
    }

    /// <summary>Waits until there are events to send, and, where they go together, a little for others.</summary>
    private async Task FilledAsync(CancellationToken interrupt)
    {
        try
        {
            await _queue.WhenAsync(1).WaitAsync(interrupt).ConfigureAwait(false);
            WebhookOptions options = Options;
            if (options.BatchEvents == 1 || options.BatchDelay == TimeSpan.Zero || _queue.OldestAge() is not { } age || age >= options.BatchDelay) return;
            await _queue.WhenAsync(options.BatchEvents).WaitAsync(options.BatchDelay - age, _environment.Time, interrupt).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            // The time is over, or something has changed: whoever waits looks again.
        }
    }

    /// <summary>Sends events until they have arrived, are refused, or too old. False: the end has come.</summary>
    private async Task<bool> DeliverAsync(List<QueuedEvent> events)
    {
        WebhookRequest? request = null;
        WebhookOptions? writtenFor = null;
        while (true)
        {
            Settings settings = _settings;
            int dropped = DropAged(events, settings.Options);
            if (events.Count == 0) return true;
            if (request is null || dropped > 0 || writtenFor != settings.Options)
            {
                DateTimeOffset now = _environment.Time.GetUtcNow();
                request = WebhookRequest.Of(events, _queue.TotalDropped - _droppedTold, settings.Options, _environment.Source, now);
                writtenFor = settings.Options;
            }

            CancellationToken interrupt = InterruptToken();
            PostResult result;
            try
            {
                result = await settings.Receiver.PostAsync(request, _end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _queue.Settle(events, WebhookDropCause.Age);
                return false;
            }

            switch (result.Outcome)
            {
                case PostOutcome.Accepted:
                    Arrived(events, request);
                    return true;
                case PostOutcome.Rejected:
                    Refused(events, result.Cause);
                    return true;
                case PostOutcome.Gone:
                    TurnOff(events, result.Cause);
                    return true;
            }

            // A receiver that was replaced while it was asked is not one that fails.
            if (_settings != settings) continue;
            TimeSpan wait = NoteFailure(result);
            if (_isDraining)
            {
                _queue.Settle(events, WebhookDropCause.Age);
                return false;
            }

            await PauseAsync(wait, interrupt).ConfigureAwait(false);
            lock (_lock.Alone())
            {
                _nextTryAt = null;
                _schedule.Retry();
            }
        }
    }

    private async Task PauseAsync(TimeSpan wait, CancellationToken interrupt)
    {
        try
        {
            await Task.Delay(wait, _environment.Time, interrupt).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Other options, or the end: the next try is at once.
        }
    }

    private int DropAged(List<QueuedEvent> events, WebhookOptions options)
    {
        List<QueuedEvent> aged = [.. events.Where(one => _environment.Time.GetElapsedTime(one.SinceTimestamp) > options.MaxAge)];
        if (aged.Count == 0) return 0;
        events.RemoveAll(aged.Contains);
        _queue.Settle(aged, WebhookDropCause.Age);
        return aged.Count;
    }

    private void Arrived(List<QueuedEvent> events, WebhookRequest request)
    {
        _droppedTold += request.DroppedBefore;
        Interlocked.Add(ref _sent, events.Count);
        _queue.Settle(events, null);
        int failures;
        DateTimeOffset now = _environment.Time.GetUtcNow();
        lock (_lock.Alone())
        {
            failures = _schedule.Failures;
            _schedule.Answered();
            _lastSuccessAt = now;
            _failingSince = null;
        }

        if (failures > 0) _environment.Log.Recovered(Options.Name, failures);
        if (request.DroppedBefore > 0) _environment.Log.Dropped(Options.Name, request.DroppedBefore);
    }

    private void Refused(List<QueuedEvent> events, string cause)
    {
        Interlocked.Increment(ref _failed);
        _queue.Settle(events, WebhookDropCause.Rejected);
        lock (_lock.Alone())
        {
            _schedule.Answered();
            Note(cause);
        }

        _environment.Log.Rejected(Options.Name, events.Count, cause);
    }

    private void TurnOff(List<QueuedEvent> events, string cause)
    {
        Interlocked.Increment(ref _failed);
        _queue.Settle(events, WebhookDropCause.Rejected);
        lock (_lock.Alone())
        {
            _schedule.TurnOff();
            Note(cause);
        }

        _queue.Clear(WebhookDropCause.Rejected);
        _environment.Log.TurnedOff(Options.Name);
    }

    private TimeSpan NoteFailure(in PostResult result)
    {
        Interlocked.Increment(ref _failed);
        double jitter = Random.Shared.NextDouble();
        TimeSpan wait;
        CircuitState state;
        int failures;
        DateTimeOffset now = _environment.Time.GetUtcNow();
        lock (_lock.Alone())
        {
            wait = _schedule.Failed(result.RetryAfter, jitter);
            (state, failures) = (_schedule.State, _schedule.Failures);
            Note(result.Cause);
            _nextTryAt = now + wait;
        }

        if (failures == 1) _environment.Log.Failed(Options.Name, result.Cause, wait);
        else if (state == CircuitState.Open) _environment.Log.Opened(Options.Name, failures, result.Cause, wait);
        return wait;
    }

    private void Note(string cause)
    {
        _lock.MustBeHeld();
        _lastFailure = cause;
        _lastFailureAt = _environment.Time.GetUtcNow();
        _failingSince ??= _lastFailureAt;
    }
}
