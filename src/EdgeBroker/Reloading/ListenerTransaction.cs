using EdgeBroker.Http;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Reloading;

/// <summary>
/// Changes the listeners of a running broker: first everything that can fail - addresses are bound, files are read -, then what cannot. In between nobody
/// notices anything, but that where an address changes hands, the listener that goes has given it free for a moment.
/// </summary>
/// <param name="running">The broker.</param>
/// <param name="plan">What to do.</param>
/// <param name="lost">Told when a listener that gave its address free could not have it back.</param>
internal sealed class ListenerTransaction(RunningBroker running, ListenerPlan plan, Action<string, string> lost)
{
    private readonly List<IServedListener> _opened = [];
    private readonly List<(WebListenerChange Change, WebListener Listener, WebListenerOptions Options)> _changes = [];
    private bool _isWebNew;

    /// <summary>Whether a listener lets other clients in than before.</summary>
    public bool IsReviewDue { get; private set; }

    /// <summary>Does what can fail.</summary>
    /// <returns>Why it cannot be done, in which case everything is as before; null: it can.</returns>
    public async Task<string?> PrepareAsync()
    {
        string? problem = await TryAsync(ReadFiles).ConfigureAwait(false) ?? await OpenAsync().ConfigureAwait(false);
        if (problem is not null) await UndoAsync().ConfigureAwait(false);
        return problem;
    }

    /// <summary>Does the rest.</summary>
    /// <param name="applied">Gets a line for each thing that changed.</param>
    public async Task CommitAsync(List<string> applied)
    {
        foreach (IServedListener listener in _opened)
        {
            await listener.BeginAsync().ConfigureAwait(false);
            applied.Add($"{Printable.Escape(listener.Name)}: a new listener");
        }

        foreach ((MqttListener listener, ListenerOptions options) in plan.Plains) Change(listener, options, applied);
        foreach ((WebListenerChange change, WebListener listener, WebListenerOptions options) in _changes) Change(change, listener, options, applied);
        foreach (IServedListener listener in plan.Removed)
        {
            await listener.RemoveAsync().ConfigureAwait(false);
            applied.Add($"{Printable.Escape(listener.Name)}: removed, and its clients disconnected");
        }
    }

    private void Change(MqttListener listener, ListenerOptions options, List<string> applied)
    {
        if (listener.Options == options) return;
        IsReviewDue |= listener.Options.AllowAnonymous != options.AllowAnonymous;
        listener.Apply(options);
        applied.Add($"{Printable.Escape(listener.Name)}: other settings");
    }

    private void Change(WebListenerChange change, WebListener listener, WebListenerOptions options, List<string> applied)
    {
        bool isOther = !listener.Options.IsSameAs(options);
        IsReviewDue |= listener.Options.AllowAnonymous != options.AllowAnonymous;
        bool hasOtherCertificates = change.Apply();
        if (isOther) applied.Add($"{Printable.Escape(listener.Name)}: other settings");
        if (hasOtherCertificates) applied.Add($"{Printable.Escape(listener.Name)}: other certificate files, for new connections");
    }

    private Task ReadFiles()
    {
        foreach ((WebListener listener, WebListenerOptions options) in plan.Webs) _changes.Add((listener.Prepare(options), listener, options));
        return Task.CompletedTask;
    }

    private async Task<string?> OpenAsync()
    {
        var opens = new List<Func<Task>>();
        foreach (ListenerOptions options in plan.AddedPlains)
        {
            opens.Add(() =>
            {
                _opened.Add(running.Plain.Open(options));
                return Task.CompletedTask;
            });
        }

        foreach (WebListenerOptions options in plan.AddedWebs)
        {
            opens.Add(async () => _opened.Add(await (await WebAsync().ConfigureAwait(false)).OpenAsync(options).ConfigureAwait(false)));
        }

        if (await OpenAsync(opens).ConfigureAwait(false) is null) return null;
        // Perhaps one that goes is in the way.
        foreach (IServedListener listener in plan.Removed) await listener.SuspendAsync().ConfigureAwait(false);
        if (await OpenAsync(opens).ConfigureAwait(false) is not { } problem) return null;
        foreach (IServedListener opened in _opened) await opened.AbandonAsync().ConfigureAwait(false);
        foreach (IServedListener listener in plan.Removed) await ResumeAsync(listener).ConfigureAwait(false);
        return problem;
    }

    /// <summary>Opens what is not open yet; what has succeeded leaves the list.</summary>
    private static async Task<string?> OpenAsync(List<Func<Task>> opens)
    {
        string? first = null;
        foreach (Func<Task> open in opens.ToArray())
        {
            string? problem = await TryAsync(open).ConfigureAwait(false);
            if (problem is null) opens.Remove(open);
            first ??= problem;
        }

        return first;
    }

    private async Task<WebServer> WebAsync()
    {
        if (running.Web is { } present) return present;
        _isWebNew = true;
        running.Web = running.MakeWeb();
        await running.Web.StartAsync().ConfigureAwait(false);
        return running.Web;
    }

    private async Task ResumeAsync(IServedListener listener)
    {
        if (await TryAsync(listener.ResumeAsync).ConfigureAwait(false) is { } problem) lost(listener.Name, problem);
    }

    private async Task UndoAsync()
    {
        foreach ((WebListenerChange change, _, _) in _changes) change.Dispose();
        if (!_isWebNew) return;
        await running.Web!.DisposeAsync().ConfigureAwait(false);
        running.Web = null;
    }

    private static async Task<string?> TryAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
            return null;
        }
        catch (CertificateFileException exception)
        {
            return $"{exception.File} {exception.Message}";
        }
        catch (Exception exception) when (exception is IOException or FormatException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
